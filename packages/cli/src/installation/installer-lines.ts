/**
 * The line that makes a device a machine of a server, for somebody to paste there. It trusts nothing that came over the
 * network before it was compared: the authority is fetched from anybody, and everything after it by that authority
 * alone. The enrolment token goes in by standard input, and so into no list of processes; it is in the line itself.
 */
import { createHash } from 'node:crypto';
import { INSTALL_PATHS } from '@longarm/contract/targets';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';

export type Installation = {
  /** Origin of the server. */
  readonly serverUrl: string;
  readonly token: string;
  /** The server's own certificate authority, PEM; null: by those that the system trusts, or without TLS. */
  readonly caPem: string | null;
};

export type InstallerLines = { readonly posix: string; readonly windows: string };

/** Of the file as the server hands it out: another encoding of the same certificate is another file. */
const sha256Of = (pem: string): string => createHash('sha256').update(pem).digest('hex');

const insecureOption = ({ serverUrl }: Installation): string => (serverUrl.startsWith('http:') ? ' --insecure' : '');

const posixLine = (installation: Installation): string => {
  const { serverUrl, token, caPem } = installation;
  const authority =
    caPem === null
      ? []
      : [
          `curl -fsSk -o ca.pem ${serverUrl}${AGENT_PATHS.certificate}`,
          `echo '${sha256Of(caPem)}  ca.pem' >sum`,
          `{ sha256sum -c sum || shasum -a 256 -c sum || { echo 'not the authority of your server: nothing was run'; exit 1; }; } >&2`,
        ];
  const ca = caPem === null ? '-' : 'ca.pem';
  const steps = [
    'd=$(mktemp -d)',
    'cd "$d"',
    `trap 'rm -f ca.pem sum install.sh; cd /; rmdir "$d"' EXIT`,
    ...authority,
    `curl -fsS${caPem === null ? '' : ' --cacert ca.pem'} -o install.sh ${serverUrl}${INSTALL_PATHS.posix}`,
    `echo '${token}' | $([ "$(id -u)" = 0 ] || echo sudo) sh install.sh ${serverUrl} ${ca}${insecureOption(installation)}`,
  ];
  return `(umask 077; ${steps.join(' && ')})`;
};

const windowsLine = (installation: Installation): string => {
  const { serverUrl, token, caPem } = installation;
  const curl = '& $env:SystemRoot\\System32\\curl.exe';
  const failed = "if ($LASTEXITCODE) { throw 'nothing was run' }";
  const authority =
    caPem === null
      ? []
      : [
          `${curl} -fsSk -o "$d\\ca.pem" ${serverUrl}${AGENT_PATHS.certificate}`,
          failed,
          `if ((Get-FileHash -Algorithm SHA256 "$d\\ca.pem").Hash -ne '${sha256Of(caPem)}') { throw 'not the authority of your server: nothing was run' }`,
        ];
  const trust = caPem === null ? '' : ' --ssl-no-revoke --cacert "$d\\ca.pem"';
  const ca = caPem === null ? "'-'" : '"$d\\ca.pem"';
  const option = insecureOption(installation);
  const prepare = [
    "$ErrorActionPreference = 'Stop'",
    '$d = "$env:ProgramFiles\\longarm-agent-line-$([guid]::NewGuid())"',
    'New-Item -ItemType Directory $d | Out-Null',
  ];
  const steps = [
    ...authority,
    `${curl} -fsS${trust} -o "$d\\install.ps1" ${serverUrl}${INSTALL_PATHS.windows}`,
    failed,
    `& ([scriptblock]::Create((Get-Content -Raw "$d\\install.ps1"))) ${serverUrl} ${ca} '${token}'${option === '' ? '' : ` '${option.trim()}'`}`,
  ];
  return `& { ${prepare.join('; ')}; try { ${steps.join('; ')} } finally { Remove-Item "$d\\*"; Remove-Item $d } }`;
};

/** One for Linux and macOS, one for PowerShell as an administrator. Nothing in an origin or a token needs quoting. */
export const installerLines = (installation: Installation): InstallerLines => ({
  posix: posixLine(installation),
  windows: windowsLine(installation),
});
