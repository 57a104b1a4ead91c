/**
 * Gives a chunk's memory back now. The runtime would do it when it next collects, and lets tens of mebibytes pile up
 * until then. A chunk that lies with others in one buffer is left alone.
 */
export const giveBack = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};

/**
 * What was sent cannot be given back chunk by chunk, since nothing tells when the runtime has done with one. Left to
 * itself it lets 55 to 70 MiB pile up; a collection now and then, between pieces, halves that.
 */
export const collectSent = (): void => Bun.gc(true);
