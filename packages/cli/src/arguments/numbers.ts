import { InvalidArgumentError } from 'commander';

/** Parsers of numbers on the command line; what is no such number is a wrong usage, named by its option. */
export const readSeconds = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('Expected a number of seconds.');
  }
  return value;
};

export const readCount = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 on.');
  return Number(text);
};

export const readIndex = (text: string): number => {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Expected the index of a command: 0, 1, 2 …');
  return Number(text);
};

export const readHours = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number of hours above 0.');
  return value;
};
