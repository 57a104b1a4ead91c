/**
 * Windows: a task at the start of the device, as SYSTEM (Task Scheduler Schema). A service would have to answer the
 * service control manager within 30 seconds of its start, which a console program does not. A task is not started
 * again by itself when its program ends: a second trigger asks every minute, and is ignored while the agent runs.
 */

// all below a folder where only administrators make folders: anybody could have made one in ProgramData before
const FOLDER = 'C:\\Program Files\\longarm-agent';
const EXECUTABLE = `${FOLDER}\\longarm-agent.exe`;
const STATE = `${FOLDER}\\state`;
const DEFINITION = `${FOLDER}\\task.xml`;
const TASK = 'longarm-agent';

/** Well-known security identifiers: names of accounts are translated on some devices. */
const SYSTEM = 'S-1-5-18';
const ADMINISTRATORS = 'S-1-5-32-544';

/** By their whole path: Windows would look for them in the folder that this program was started in first. */
const ICACLS = 'C:\\Windows\\System32\\icacls.exe';
const SCHTASKS = 'C:\\Windows\\System32\\schtasks.exe';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** As programs of Windows split their command line; then as XML has it. No argument holds a quote. */
const quoted = (argument: string): string => {
  const whole = /^[\w.:/-]+$/.test(argument) ? argument : `"${argument.replace(/\\+$/, '$&$&')}"`;
  return whole.replace(/[&<>]/g, (character) => ENTITIES[character] ?? '');
};

// PT0S is no limit: the default would end the agent after three days
const taskText = (args: readonly string[]): string => `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>
    <TimeTrigger>
      <Repetition>
        <Interval>PT1M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${SYSTEM}</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${EXECUTABLE}</Command>
      <Arguments>${['--state', STATE, ...args].map(quoted).join(' ')}</Arguments>
      <WorkingDirectory>C:\\Windows\\System32</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;

/** The form that the system itself writes tasks in: UTF-16, least byte first, with its mark. */
const utf16 = (text: string): Uint8Array => Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 'utf16le');

export const scheduledTask = {
  folder: FOLDER,
  executable: EXECUTABLE,
  state: STATE,
  definition: { path: DEFINITION, content: (args: readonly string[]) => utf16(taskText(args)) },
  probe: [],
  protect: [[ICACLS, STATE, '/inheritance:r', '/grant:r', `*${SYSTEM}:(OI)(CI)F`, `*${ADMINISTRATORS}:(OI)(CI)F`]],
  start: [
    [SCHTASKS, '/Create', '/F', '/TN', TASK, '/XML', DEFINITION],
    [SCHTASKS, '/Run', '/TN', TASK],
  ],
  stop: [
    [SCHTASKS, '/Change', '/TN', TASK, '/DISABLE'],
    [SCHTASKS, '/End', '/TN', TASK],
  ],
  forget: [[SCHTASKS, '/Delete', '/F', '/TN', TASK]],
  startBelow: (): readonly [] => [],
} as const;
