import { expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { fileDisk } from '../platform/log-disk.ts';
import { openLogFile } from './log-file.ts';

const RECORDS = ['["first"]', '["second, with ümlauts"]', '["third"]'];

const written = (path: string): Uint8Array => {
  const { file } = openLogFile(fileDisk(path));
  for (const record of RECORDS) file.append(record, true);
  file.close();
  return readFileSync(path);
};

/** How many whole records the first `length` bytes hold. */
const wholeRecords = (ends: readonly number[], length: number): number => ends.filter((end) => end <= length).length;

test('what was appended is read again, in order', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'log');
  written(path);
  const opened = openLogFile(fileDisk(path));
  expect(opened.payloads).toEqual(RECORDS);
  expect(opened.droppedBytes).toBe(0);
  opened.file.close();
});

test('a tail torn at any byte is dropped, what is before it stays, and the log goes on after it', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'log');
  const bytes = written(path);
  const ends: number[] = [];
  for (const record of RECORDS) ends.push((ends.at(-1) ?? 0) + 8 + new TextEncoder().encode(record).length);
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const torn = openLogFile(fileDisk(path));
    const whole = wholeRecords(ends, length);
    expect(torn.payloads).toEqual(RECORDS.slice(0, whole));
    expect(torn.droppedBytes).toBe(length - (ends[whole - 1] ?? 0));
    torn.file.append('["after"]', true);
    torn.file.close();
    const again = openLogFile(fileDisk(path));
    expect(again.payloads).toEqual([...RECORDS.slice(0, whole), '["after"]']);
    again.file.close();
  }
});

test('a record with any flipped byte is not believed', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'log');
  const bytes = written(path);
  const lastStart = bytes.length - 8 - '["third"]'.length;
  for (let at = lastStart; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x01;
    writeFileSync(path, damaged);
    const opened = openLogFile(fileDisk(path));
    expect(opened.payloads).toEqual(RECORDS.slice(0, 2));
    opened.file.close();
  }
});

test('a restart replaces everything, and appending goes on behind it', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'log');
  const { file } = openLogFile(fileDisk(path));
  file.append('["old"]', true);
  file.restart('["new"]');
  expect(file.sizeBytes()).toBe(statSync(path).size);
  file.append('["newer"]', false);
  expect(file.sizeBytes()).toBe(statSync(path).size);
  file.close();
  const opened = openLogFile(fileDisk(path));
  expect(opened.payloads).toEqual(['["new"]', '["newer"]']);
  opened.file.close();
});

test('the file is for its owner alone', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'log');
  openLogFile(fileDisk(path)).file.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
