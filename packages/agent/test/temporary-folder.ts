/** A folder of its own for a test, mode 0700, gone at the end of the block that `using` opened it in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const temporaryFolder = () => {
  const path = mkdtempSync(join(tmpdir(), 'longarm-agent-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
};
