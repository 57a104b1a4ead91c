/**
 * The runtime below an executable obeys some variables of the environment before the program in it is asked:
 * BUN_BE_BUN makes it a plain Bun, BUN_OPTIONS preloads files, BUN_INSPECT opens a debugger. No option of the compiler
 * turns that off, so their names in the runtime become names that nobody sets. The programs themselves go on to
 * refuse to start where they find the first two, since their own text is added after this.
 */

const DOORS = ['BUN_BE_BUN', 'BUN_OPTIONS', 'BUN_INSPECT'] as const;

/** Replaces the names in place, by others of the same length. Throws when one is not there: nothing would be closed. */
export const closeDoors = (runtime: Buffer): void => {
  for (const name of DOORS) {
    const closed = name.replaceAll('_', '-');
    let at = runtime.indexOf(name);
    if (at === -1)
      throw new Error(`expected the name ${name} in the runtime, found none: see how this version of Bun reads it.`);
    for (; at !== -1; at = runtime.indexOf(name, at)) runtime.write(closed, at, 'latin1');
  }
};
