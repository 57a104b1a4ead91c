/**
 * The name under which a downloaded file is offered: the last part of a device's path, for both kinds of
 * separator, since a Windows path is downloaded from a server that is none. `file` where nothing usable is left.
 */

/** More than any file system's 255 with `.gz` behind it; a longer one is cut, so that a header stays a header. */
const DOWNLOAD_NAME_CHARACTERS = 300;

export const downloadName = (path: string): string => {
  const last = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const name = last.slice(0, DOWNLOAD_NAME_CHARACTERS).toWellFormed();
  return name === '' || name === '.' || name === '..' ? 'file' : name;
};
