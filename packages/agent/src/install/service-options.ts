/** The options of `install`, `uninstall` and `status`. */
import { parseArgs } from 'node:util';

export const SERVICE_USAGE = `longarm-agent install|uninstall|status: the agent as a part of this device.

  longarm-agent install --server URL --token-file F [--insecure] [--proxy URL] [--policy FILE] [--require-signatures]
                        [--work-mib N] [--key-days N] [--anew] [--root DIR] [--dry-run]
  longarm-agent uninstall [--purge] [--root DIR] [--dry-run]
  longarm-agent status [--json] [--root DIR]

  --server URL     address of the server; not needed where the device is enrolled already
  --token-file F   file with the enrolment token; - reads standard input
  --insecure       accept http: to a server that is not this device
  --proxy URL      HTTP proxy to the server; otherwise the one that HTTPS_PROXY, HTTP_PROXY and NO_PROXY lead to now
  --policy FILE    whole path of what this device allows; --require-signatures, --work-mib N and --key-days N as for the
                   agent itself (longarm-agent --help). These four are kept for later installs
  --anew           forget those four of earlier installs
  --purge          remove the state too: the device's key, its journal, its working folder
  --root DIR       work below this folder and leave the running system alone; not on Windows
  --dry-run        say what would be done, and do nothing
  --json           for programs
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  server: text,
  'token-file': text,
  insecure: flag,
  proxy: text,
  policy: text,
  'require-signatures': flag,
  'work-mib': text,
  'key-days': text,
  anew: flag,
  purge: flag,
  root: text,
  'dry-run': flag,
  json: flag,
  help: flag,
} as const;

const OF_VERB = {
  install: [
    'server',
    'token-file',
    'insecure',
    'proxy',
    'policy',
    'require-signatures',
    'work-mib',
    'key-days',
    'anew',
    'root',
    'dry-run',
    'help',
  ],
  uninstall: ['purge', 'root', 'dry-run', 'help'],
  status: ['json', 'root', 'help'],
} as const satisfies Record<string, readonly (keyof typeof OPTIONS)[]>;
export type ServiceVerb = keyof typeof OF_VERB;

const parseOptions = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
export type ServiceOptions = ReturnType<typeof parseOptions>;

/** Throws a sentence for what is no option of this verb. */
export const readServiceOptions = (verb: ServiceVerb, args: readonly string[]): ServiceOptions => {
  const options = parseOptions(args);
  const known: readonly string[] = OF_VERB[verb];
  const strange = Object.keys(options).find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new Error(`--${strange}: expected options of ${verb}, got one of another. See --help.`);
  return options;
};
