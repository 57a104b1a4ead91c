/**
 * An append-only file of records: `[length u32 LE][CRC-32 u32 LE][UTF-8 payload]`. A record is there whole or not at
 * all: what a crash tore at the end is dropped when the file is opened again.
 */
import type { LogDisk } from '../platform/log-disk.ts';

const HEADER_BYTES = 8;
/** A longer length is not one of ours but damage. */
const RECORD_BYTES = 67_108_864;

export type LogFile = {
  /** Writes one record; with `durable` it is on the disk when this returns. Throws when the disk refuses, and then nothing was added. */
  readonly append: (payload: string, durable: boolean) => void;
  /** Replaces the whole content by one record, durably. Throws when the disk refuses, and then the old one stays. */
  readonly restart: (payload: string) => void;
  readonly sizeBytes: () => number;
  readonly close: () => void;
};

export type OpenedLog = {
  readonly file: LogFile;
  readonly payloads: readonly string[];
  /** Bytes at the end that were no whole record, and were cut off; 0 when the file was whole. */
  readonly droppedBytes: number;
};

const frame = (payload: string): Uint8Array => {
  const text = new TextEncoder().encode(payload);
  const record = new Uint8Array(HEADER_BYTES + text.length);
  const header = new DataView(record.buffer);
  header.setUint32(0, text.length, true);
  header.setUint32(4, Bun.hash.crc32(text), true);
  record.set(text, HEADER_BYTES);
  return record;
};

/** Where the record that starts at `start` ends, and what it says; null when there is no whole record. */
const readRecord = (bytes: Uint8Array, start: number): { readonly payload: string; readonly end: number } | null => {
  if (start + HEADER_BYTES > bytes.length) return null;
  const header = new DataView(bytes.buffer, bytes.byteOffset + start, HEADER_BYTES);
  const end = start + HEADER_BYTES + header.getUint32(0, true);
  if (end > bytes.length || end - start > RECORD_BYTES) return null;
  const text = bytes.subarray(start + HEADER_BYTES, end);
  return Bun.hash.crc32(text) === header.getUint32(4, true) ? { payload: new TextDecoder().decode(text), end } : null;
};

const readAll = (bytes: Uint8Array): { readonly payloads: readonly string[]; readonly end: number } => {
  const payloads: string[] = [];
  let end = 0;
  for (let record = readRecord(bytes, 0); record !== null; record = readRecord(bytes, end)) {
    payloads.push(record.payload);
    end = record.end;
  }
  return { payloads, end };
};

/** Half a record at the end would be read as damage; where even this fails, the next record is written over it. */
const cutBack = (disk: LogDisk, end: number): void => {
  try {
    disk.truncate(end);
  } catch {
    // the fault that led here is the one to tell
  }
};

const logFile = (disk: LogDisk, size: number): LogFile => {
  let end = size;
  disk.truncate(end);
  return {
    append: (payload, durable) => {
      const record = frame(payload);
      try {
        disk.write(record, end);
        if (durable) disk.sync();
      } catch (fault) {
        cutBack(disk, end);
        throw fault;
      }
      end += record.length;
    },
    restart: (payload) => {
      const record = frame(payload);
      disk.replace(record);
      end = record.length;
    },
    sizeBytes: () => end,
    close: disk.close,
  };
};

/** Opens the log on this disk. */
export const openLogFile = (disk: LogDisk): OpenedLog => {
  const bytes = disk.read();
  const { payloads, end } = readAll(bytes);
  return { file: logFile(disk, end), payloads, droppedBytes: bytes.length - end };
};
