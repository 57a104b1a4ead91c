/** The platform that the agent runs on. Throws a sentence on any other than the three that it knows. */
import { darwinPlatform } from './darwin.ts';
import { linuxPlatform } from './linux.ts';
import type { Platform } from './platform.ts';
import { win32Platform } from './win32.ts';

export const thisPlatform = (name: string): Platform => {
  switch (name) {
    case 'linux':
      return linuxPlatform();
    case 'darwin':
      return darwinPlatform();
    case 'win32':
      return win32Platform();
    default:
      throw new Error(`expected Linux, macOS or Windows, got ${name}`);
  }
};
