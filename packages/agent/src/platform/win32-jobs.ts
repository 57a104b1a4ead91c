/**
 * Windows' way of holding processes together: a job object (learn.microsoft.com, "Job Objects"). What a process in it
 * starts is in it too, and all of it ends when the agent's handle goes, also when the agent is killed.
 */
import { dlopen, FFIType, ptr } from 'bun:ffi';

const { u32, i32, u64, pointer } = { ...FFIType, pointer: FFIType.ptr };

const openKernel = () =>
  dlopen('kernel32.dll', {
    CreateJobObjectW: { args: [u64, u64], returns: u64 },
    SetInformationJobObject: { args: [u64, u32, pointer, u32], returns: i32 },
    AssignProcessToJobObject: { args: [u64, u64], returns: i32 },
    QueryInformationJobObject: { args: [u64, u32, pointer, u32, u64], returns: i32 },
    TerminateJobObject: { args: [u64, u32], returns: i32 },
    OpenProcess: { args: [u32, i32, u32], returns: u64 },
    CloseHandle: { args: [u64], returns: i32 },
  }).symbols;

type Kernel = ReturnType<typeof openKernel>;

/** PROCESS_SET_QUOTA and PROCESS_TERMINATE: what AssignProcessToJobObject asks for. */
const ASSIGN_ACCESS = 0x0101;

/** JobObjectExtendedLimitInformation on 64 bits: its size, where its flags lie, and the flag that ends all on close. */
const LIMITS = { infoClass: 9, bytes: 144, flagsOffset: 16, killOnClose: 0x2000 } as const;

/** JobObjectBasicProcessIdList: two counts of 32 bits, then ids of 64. A job of more processes is told in part. */
const ID_LIST = { infoClass: 3, headerBytes: 8, ids: 1_024 } as const;

/** The exit code of what is ended, as a shell would tell SIGKILL. */
const KILLED = 137;

export type Jobs = {
  /** Holds a process that has just started, and all that it will start. False when the system refuses. */
  readonly hold: (pid: number) => boolean;
  /** Living processes that are held with this one; null when none ever were. An empty job is put away. */
  readonly members: (pid: number) => readonly number[] | null;
  /** Ends all that is held with this one; false when none ever were. */
  readonly end: (pid: number) => boolean;
};

const createJob = (kernel: Kernel): bigint => {
  const job = kernel.CreateJobObjectW(0n, 0n);
  if (job === 0n) return job;
  const limits = Buffer.alloc(LIMITS.bytes);
  limits.writeUInt32LE(LIMITS.killOnClose, LIMITS.flagsOffset);
  kernel.SetInformationJobObject(job, LIMITS.infoClass, ptr(limits), limits.length);
  return job;
};

const assign = (kernel: Kernel, job: bigint, pid: number): boolean => {
  const handle = kernel.OpenProcess(ASSIGN_ACCESS, 0, pid);
  if (handle === 0n) return false;
  try {
    return kernel.AssignProcessToJobObject(job, handle) !== 0;
  } finally {
    kernel.CloseHandle(handle);
  }
};

const listIds = (kernel: Kernel, job: bigint): readonly number[] => {
  const list = Buffer.alloc(ID_LIST.headerBytes + ID_LIST.ids * 8);
  kernel.QueryInformationJobObject(job, ID_LIST.infoClass, ptr(list), list.length, 0n);
  const count = Math.min(list.readUInt32LE(4), ID_LIST.ids);
  return Array.from({ length: count }, (_, index) => list.readUInt32LE(ID_LIST.headerBytes + index * 8));
};

/** Nothing of the system is opened before the first process is held. */
export const openJobs = (): Jobs => {
  const handles = new Map<number, bigint>();
  let opened: Kernel | null = null;
  const kernel = () => {
    opened ??= openKernel();
    return opened;
  };
  return {
    hold: (pid) => {
      const job = createJob(kernel());
      if (job === 0n) return false;
      const isHeld = assign(kernel(), job, pid);
      if (isHeld) handles.set(pid, job);
      else kernel().CloseHandle(job);
      return isHeld;
    },
    members: (pid) => {
      const job = handles.get(pid);
      if (job === undefined) return null;
      const ids = listIds(kernel(), job);
      if (ids.length === 0) {
        handles.delete(pid);
        kernel().CloseHandle(job);
      }
      return ids;
    },
    end: (pid) => {
      const job = handles.get(pid);
      return job !== undefined && kernel().TerminateJobObject(job, KILLED) !== 0;
    },
  };
};
