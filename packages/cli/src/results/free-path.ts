/** A file that is there is never replaced by something that came from elsewhere. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CliFault } from '../faults/cli-fault.ts';

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Throws `CliFault` when something is there already. */
export const requireFree = async (path: string): Promise<void> => {
  if (await exists(path)) {
    throw new CliFault('local', `Expected nothing at ${path}, but it exists.`, 'Choose another name with --out FILE.');
  }
};

/** `name` in `folder`, or with `-2`, `-3` … before its ending where that is taken. */
export const freePath = async (folder: string, name: string): Promise<string> => {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 1; ; number++) {
    const path = join(folder, number === 1 ? name : `${stem}-${number}${ending}`);
    if (!(await exists(path))) return path;
  }
};
