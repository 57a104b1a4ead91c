/** Bytes as the opened file that an upload reads. */
import type { OpenedFile } from '@longarm/agent/runner/deliver-result';

export const readable = (bytes: Uint8Array): OpenedFile => ({
  read: async (to, offset, length, position) => {
    const part = bytes.subarray(position, position + length);
    to.set(part, offset);
    return { bytesRead: part.length };
  },
  stat: async () => ({ size: bytes.length }),
  close: async () => {},
});
