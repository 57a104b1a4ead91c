import type { SavedFile } from '@longarm/client/save-bytes';
import { printLines } from '../display/print.ts';
import { formatSize } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import type { Io } from '../world/io.ts';

export const printSaved = (io: Io, saved: SavedFile): Promise<void> =>
  printLines(io, [`saved ${visible(saved.path)}  ${formatSize(saved.sizeBytes)}  sha256 ${saved.sha256}`]);
