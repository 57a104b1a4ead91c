import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CliFault } from '../faults/cli-fault.ts';

/** A CA certificate in PEM from a file. Throws `CliFault` when it holds none: the runtime would only say "refused". */
export const readCa = async (path: string): Promise<string> => {
  const pem = await readFile(path, 'utf8');
  try {
    new X509Certificate(pem);
    return pem;
  } catch {
    throw new CliFault(
      'local',
      `Expected a CA certificate in PEM in ${path}, got something else.`,
      "The server's own is ca.pem in the folder tls of its data folder.",
    );
  }
};
