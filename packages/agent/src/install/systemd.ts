/**
 * Linux: a unit of systemd (systemd.service(5), systemd.exec(5), systemd.kill(5)). Scripts are to reach the whole
 * device, as its user: directives that hide parts of it (ProtectSystem, ProtectHome, PrivateTmp, NoNewPrivileges, sets
 * of capabilities, filters of system calls) would be inherited by them, and are left out for that reason.
 * docs/operating/installing.md gives the reason of each directive that is here.
 */

// libexec: what lies in lib is labelled as data where SELinux is on, and would run confined
const FOLDER = '/usr/local/libexec/longarm-agent';
const EXECUTABLE = `${FOLDER}/longarm-agent`;
const STATE = '/var/lib/longarm-agent';
const UNIT = 'longarm-agent.service';

/** As systemd reads a command line: `%` and `$` stand for themselves when doubled, quotes keep spaces together. */
const quoted = (argument: string): string => {
  const literal = argument.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@+=%$-]+$/.test(literal) ? literal : `"${literal.replace(/[\\"]/g, '\\$&')}"`;
};

const unitText = (args: readonly string[]): string => `# Made by longarm-agent install, and made anew by the next one.
[Unit]
Description=Longarm agent
Wants=network-online.target
After=network-online.target
# never give up: a device that is not started again cannot be reached to mend it
StartLimitIntervalSec=0

[Service]
ExecStart=${[EXECUTABLE, '--state', STATE, ...args].map(quoted).join(' ')}
WorkingDirectory=/
# the key and the journal are root's alone
StateDirectory=longarm-agent
StateDirectoryMode=0700
UMask=0077
# memory of the agent holds its key
LimitCORE=0
# the same environment whoever set what for the service manager
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=HOME=/root LANG=C.UTF-8
UnsetEnvironment=LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
UnsetEnvironment=BUN_BE_BUN BUN_OPTIONS BUN_INSPECT BUN_INSPECT_CONNECT_TO BUN_JSC_useJIT BUN_CONFIG_VERBOSE_FETCH
UnsetEnvironment=NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED SSL_CERT_FILE SSL_CERT_DIR
UnsetEnvironment=HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy
Restart=always
RestartSec=5
# what it was given does not fit: that does not mend itself
RestartPreventExitStatus=2
# the agent ends its scripts itself and writes that down; what is left then is killed with it
KillMode=mixed
TimeoutStopSec=30
# a control group for each script, below the unit's own
Delegate=yes
# a script that eats the memory is no reason to end the agent
OOMPolicy=continue

[Install]
WantedBy=multi-user.target
`;

export const systemd = {
  folder: FOLDER,
  executable: EXECUTABLE,
  state: STATE,
  definition: { path: `/etc/systemd/system/${UNIT}`, content: unitText },
  // asks the manager itself: the tools may be there without it, as in a container
  probe: [['systemctl', 'show', '--property=Version']],
  protect: [],
  start: [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', UNIT],
    ['systemctl', 'restart', UNIT],
  ],
  stop: [['systemctl', 'disable', '--now', UNIT]],
  forget: [['systemctl', 'daemon-reload']],
  startBelow: (root: string) => [['systemctl', `--root=${root}`, 'enable', UNIT] as const],
} as const;
