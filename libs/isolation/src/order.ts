/** Something that a sandbox sees in its file system beside the toolchain. */
export type Mount =
  | { readonly access: 'read'; readonly source: string; readonly target: string }
  /** A fresh folder in memory that can never hold more than its quota, and is gone with the sandbox. */
  | { readonly access: 'write'; readonly target: string; readonly quotaBytes: number };

/** How much a sandbox may take of the machine. */
export interface SandboxLimits {
  readonly memoryMb: number;
  /** Room for its files, which lie in memory too: on top where a sandbox is counted as a whole. */
  readonly filesMb?: number;
  readonly processes: number;
  /** Its weight when others want the processor too; 100 is as much as one of our own services. */
  readonly cpuShare: number;
  /** Processor time of each process. */
  readonly cpuSeconds?: number;
  /** The largest file it may write, its output included. */
  readonly fileBytes: number;
  readonly wallMs?: number;
}

/** All that a stranger's process gets: nothing that is not named here reaches it. */
export interface IsolationOrder {
  readonly argv: readonly string[];
  /** Where it is started, as seen from inside. */
  readonly folder: string;
  readonly mounts: readonly Mount[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** `NAME=value`, by which all its processes are found again, also by a later process of ours. */
  readonly marker: string;
  /** Descriptors of ours for its two outputs; null drops them. */
  readonly output: { readonly out: number; readonly err: number } | null;
  /** The quota of its `/tmp`, and of its shared memory. */
  readonly scratchBytes: number;
  readonly limits: SandboxLimits;
  /** The port on its own loopback that is reached from outside through `inboundSocketOf(runFolder)`. */
  readonly port: number | null;
  /** Whether it is offered the egress proxy that listens on `egressSocketOf(runFolder)`. */
  readonly egress: boolean;
  /** A folder that exists, is ours alone, and belongs to this sandbox until it has ended. */
  readonly runFolder: string;
}
