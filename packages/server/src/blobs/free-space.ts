/** Keeps a reserve on the disk, so that the database beside the blobs can still commit when uploads filled it. */

import { statfs } from 'node:fs/promises';
import { faultCode } from '@longarm/contract/system-fault';
import { UploadFault } from '../library/ports.ts';

/** Bytes written between two looks at the disk. */
export const FREE_SPACE_STRIDE_BYTES = 16 * 1_048_576;

export type FreeSpace = {
  /** Bytes that may still be written, the reserve left alone; never below 0. */
  readonly freeBytes: () => Promise<number>;
  /** UploadFault `disk-full` when only the reserve is left. */
  readonly requireSpace: (uploadedBytes: number) => Promise<void>;
};

const diskFull = (uploadedBytes: number): UploadFault =>
  new UploadFault(
    'disk-full',
    uploadedBytes,
    `The server's disk is full: ${uploadedBytes} bytes were taken. Free space on it, then send again.`,
  );

export const freeSpace = (folder: string, minimumFreeBytes: number): FreeSpace => {
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder);
    return Math.max(0, bavail * bsize - minimumFreeBytes);
  };
  return {
    freeBytes,
    requireSpace: async (uploadedBytes) => {
      if ((await freeBytes()) === 0) throw diskFull(uploadedBytes);
    },
  };
};

/** A write's fault as the sender should hear it: no space, or over the quota, is `disk-full`. */
export const asUploadFault = (fault: unknown, uploadedBytes: number): unknown => {
  const code = faultCode(fault);
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(uploadedBytes) : fault;
};
