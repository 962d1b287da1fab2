import { readFileSync } from 'node:fs';

/** A process as its starter hands it out. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
  kill(): Promise<void>;
  readonly exited: Promise<unknown>;
}

/** One part of the deployment that can be killed and started again with the same ports and data. */
export interface Part {
  readonly name: string;
  readonly pid: () => number;
  /** How often it was killed so far. */
  readonly deaths: () => number;
  /** SIGKILL this very instant, also to its children when asked; resolves when it is gone. */
  kill(how?: { readonly withChildren: boolean }): Promise<void>;
  /** SIGSTOP this very instant: it holds all it has and says nothing. `thaw` lets it go on as if no time had passed. */
  freeze(how?: { readonly withChildren: boolean }): void;
  thaw(): void;
  /** Resolves when it has died by itself. */
  readonly died: () => Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
  /** When it was not serving: from the kill to being ready again, by the wall clock. */
  readonly absences: () => readonly Absence[];
}

/** A time without this part; `to` is infinite while it is away. */
export interface Absence {
  readonly from: number;
  readonly to: number;
}

/** Ports freed by a kill are taken again at once as a rule; the kernel has needed a moment. */
const startTriesMax = 5;

/** Starts a part; null makes one that is not there, for stages that need fewer. */
export async function openPart(name: string, begin: (() => Promise<Running>) | null): Promise<Part> {
  let running: Running | null = begin === null ? null : await begin();
  const absences: Absence[] = [];
  let diedAt: number | null = null;
  let frozen: readonly number[] = [];
  const thaw = (): void => {
    for (const pid of frozen) signal(pid, 'SIGCONT');
    frozen = [];
  };
  const gone = (): void => {
    diedAt ??= Date.now();
    running = null;
  };
  return {
    name,
    pid: () => running?.pid ?? 0,
    deaths: () => absences.length + (diedAt === null ? 0 : 1),
    kill: async ({ withChildren } = { withChildren: false }) => {
      const victim = running;
      if (victim === null) return;
      diedAt = Date.now();
      for (const pid of [victim.pid, ...(withChildren ? childrenOf(victim.pid) : [])]) signal(pid, 'SIGKILL');
      await victim.exited;
      gone();
    },
    freeze: ({ withChildren } = { withChildren: false }) => {
      if (running === null) return;
      frozen = [running.pid, ...(withChildren ? childrenOf(running.pid) : [])];
      for (const pid of frozen) signal(pid, 'SIGSTOP');
    },
    thaw,
    died: async () => {
      await running?.exited;
      gone();
    },
    start: async () => {
      if (begin === null || running !== null) return;
      running = await startPatiently(begin);
      if (diedAt !== null) absences.push({ from: diedAt, to: Date.now() });
      diedAt = null;
    },
    close: async () => {
      thaw();
      await running?.stop();
      running = null;
    },
    absences: () => (diedAt === null ? absences : [...absences, { from: diedAt, to: Number.POSITIVE_INFINITY }]),
  };
}

async function startPatiently(begin: () => Promise<Running>): Promise<Running> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await begin();
    } catch (error) {
      if (tries === startTriesMax) throw error;
    }
  }
}

function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It was faster: a child ends when its parent does.
  }
}

/** The direct children, as the kernel lists them; none where it does not. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
