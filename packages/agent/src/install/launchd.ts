/** macOS: a daemon of launchd (launchd.plist(5)). It starts in an environment of its own, and so needs none unset. */

const FOLDER = '/usr/local/libexec/longarm-agent';
const EXECUTABLE = `${FOLDER}/longarm-agent`;
const STATE = '/var/db/longarm-agent';
const LABEL = 'longarm-agent';
const PLIST = `/Library/LaunchDaemons/${LABEL}.plist`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const stringLine = (argument: string): string =>
  `    <string>${argument.replace(/[&<>]/g, (character) => ENTITIES[character] ?? '')}</string>`;

const plistText = (args: readonly string[]): string => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Made by longarm-agent install, and made anew by the next one. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${[EXECUTABLE, '--state', STATE, ...args].map(stringLine).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin</string>
    <key>HOME</key>
    <string>/var/root</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>5</integer>
  <key>ExitTimeOut</key>
  <integer>30</integer>
  <key>Umask</key>
  <string>077</string>
  <key>StandardErrorPath</key>
  <string>/var/log/longarm-agent.log</string>
</dict>
</plist>
`;

export const launchd = {
  folder: FOLDER,
  executable: EXECUTABLE,
  state: STATE,
  definition: { path: PLIST, content: plistText },
  probe: [['launchctl', 'version']],
  protect: [],
  start: [['launchctl', 'bootstrap', 'system', PLIST]],
  stop: [['launchctl', 'bootout', `system/${LABEL}`]],
  forget: [],
  startBelow: (): readonly [] => [],
} as const;
