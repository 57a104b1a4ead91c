/** Windows, through its own tools: reg, taskkill; process times through kernel32. */
import { dlopen, FFIType, ptr } from 'bun:ffi';
import { hostname, release } from 'node:os';
import { deviceFacts } from './device-facts.ts';
import { type EndSignal, type Platform, uncontained } from './platform.ts';
import { runTool } from './run-tool.ts';
import { openJobs } from './win32-jobs.ts';

const CURRENT_VERSION = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion';
const PREFETCH = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters';

/** One value of the registry, in its 64-bit view. */
const registryValue = (key: string, name: string): string | null =>
  /REG_\w+\s+(.+)$/m.exec(runTool(['reg', 'query', key, '/v', name, '/reg:64']) ?? '')?.[1]?.trim() ?? null;

/** PROCESS_QUERY_LIMITED_INFORMATION, and what GetExitCodeProcess says of a living process. */
const QUERY_LIMITED = 0x1000;
const STILL_ACTIVE = 259;

const openKernel = () =>
  dlopen('kernel32.dll', {
    OpenProcess: { args: [FFIType.u32, FFIType.i32, FFIType.u32], returns: FFIType.u64 },
    GetProcessTimes: {
      args: [FFIType.u64, FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.ptr],
      returns: FFIType.i32,
    },
    GetExitCodeProcess: { args: [FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
    CloseHandle: { args: [FFIType.u64], returns: FFIType.i32 },
  }).symbols;

type Kernel = ReturnType<typeof openKernel>;

const creationTime = (kernel: Kernel, pid: number): string | null => {
  const handle = kernel.OpenProcess(QUERY_LIMITED, 0, pid);
  if (handle === 0n) return null;
  try {
    const exitCode = new Uint32Array(1);
    const times = new BigUint64Array(4);
    kernel.GetExitCodeProcess(handle, ptr(exitCode));
    const [created, ended, inKernel, inUser] = [0, 8, 16, 24].map((offset) => ptr(times, offset));
    const isTold = kernel.GetProcessTimes(handle, created ?? null, ended ?? null, inKernel ?? null, inUser ?? null);
    return isTold !== 0 && exitCode[0] === STILL_ACTIVE ? String(times[0]) : null;
  } finally {
    kernel.CloseHandle(handle);
  }
};

/** Without /F a console program is only asked, and most do not listen; with /T its descendants go too. */
const taskkill = (pid: number, signal: EndSignal): void => {
  runTool(['taskkill', ...(signal === 'SIGKILL' ? ['/F'] : []), '/T', '/PID', String(pid)]);
};

export const win32Platform = (): Platform => {
  let kernel: Kernel | null = null;
  const jobs = openJobs();
  const startTimeOf = (pid: number): string | null => {
    kernel ??= openKernel();
    return creationTime(kernel, pid);
  };
  return {
    osPlatform: 'Windows',
    // counted up by the system at each start
    bootId: () => registryValue(PREFETCH, 'BootId') ?? 'unknown',
    hardwareIdentity: () =>
      registryValue('HKLM\\SOFTWARE\\Microsoft\\Cryptography', 'MachineGuid') ?? `host ${hostname()}`,
    facts: () =>
      deviceFacts('Windows', {
        version: registryValue(CURRENT_VERSION, 'DisplayVersion') ?? release(),
        osBuild: Number(registryValue(CURRENT_VERSION, 'CurrentBuildNumber')) || null,
      }),
    startTimeOf,
    groupMembers: (group) => jobs.members(group) ?? (startTimeOf(group) === null ? [] : [group]),
    markedProcesses: () => [],
    contain: uncontained,
    adopt: (pid) => void jobs.hold(pid),
    release: () => {},
    trimMemory: () => {},
    endGroup: (group, signal) => (signal === 'SIGKILL' && jobs.end(group) ? undefined : taskkill(group, signal)),
    endProcess: taskkill,
  };
};
