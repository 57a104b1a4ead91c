/**
 * An append-only file of records: `[length u32 LE][CRC-32 u32 LE][UTF-8 payload]`. A record is there whole or not at
 * all: what a crash tore at the end is dropped when the file is opened again.
 */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { replaceFile } from '../platform/durable-file.ts';

const HEADER_BYTES = 8;
/** A longer length is not one of ours but damage. */
const RECORD_BYTES = 67_108_864;
/** No file has this number: writing to it throws. */
const NO_FILE = -1;

export type LogFile = {
  /** Writes one record; with `durable` it is on the disk when this returns. Throws when the disk refuses, and then nothing was added. */
  readonly append: (payload: string, durable: boolean) => void;
  /** Replaces the whole content by one record, durably. */
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

const writeAll = (descriptor: number, record: Uint8Array, position: number): void => {
  for (let written = 0; written < record.length; ) {
    written += writeSync(descriptor, record, written, record.length - written, position + written);
  }
};

const logFile = (path: string, size: number): LogFile => {
  let descriptor = openSync(path, 'r+', 0o600);
  let end = size;
  ftruncateSync(descriptor, end);
  return {
    append: (payload, durable) => {
      const record = frame(payload);
      try {
        writeAll(descriptor, record, end);
        if (durable) fdatasyncSync(descriptor);
      } catch (fault) {
        // half a record would hide every later one
        ftruncateSync(descriptor, end);
        throw fault;
      }
      end += record.length;
    },
    restart: (payload) => {
      const record = frame(payload);
      // Windows replaces no file that is open; a number that was let go may be somebody else's next
      closeSync(descriptor);
      descriptor = NO_FILE;
      try {
        replaceFile(path, record);
        end = record.length;
      } finally {
        descriptor = openSync(path, 'r+');
      }
    },
    sizeBytes: () => end,
    close: () => closeSync(descriptor),
  };
};

/** Opens the log, made when it is not there. */
export const openLogFile = (path: string): OpenedLog => {
  if (!existsSync(path)) replaceFile(path, '');
  const bytes = readFileSync(path);
  const { payloads, end } = readAll(bytes);
  return { file: logFile(path, end), payloads, droppedBytes: bytes.length - end };
};
