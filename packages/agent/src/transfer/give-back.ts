/**
 * Gives a chunk's memory back now. The runtime would do it when it next collects, and lets tens of mebibytes pile up
 * until then. A chunk that lies with others in one buffer is left alone.
 */
export const giveBack = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};
