import type { Builder } from '@proviso/build';
import type { EvidenceStore } from '@proviso/evidence';
import type { RunChild } from '@proviso/gates';
import type { Journal } from '@proviso/journal';
import type { Prometheus } from '@proviso/prometheus';
import type { LocalTarget } from '@proviso/targets';
import type { BuildQueue } from './build-queue.ts';
import type { Fault } from './fault.ts';

/** A line for operators: closed names and ids, never a stranger's text. */
export interface Log {
  readonly info: (fields: Readonly<Record<string, unknown>>, event: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, event: string) => void;
  readonly error: (fields: Readonly<Record<string, unknown>>, event: string) => void;
}

/** Time as an argument: tests turn the hands themselves. */
export interface Clock {
  readonly now: () => number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>;
}

/** What a worker may ask of an edge: looking, and trials. There is no way to set a weight in here. */
export type Edge = Pick<LocalTarget, 'observe' | 'counts' | 'startTrial' | 'renewTrial' | 'trial' | 'stopTrial'>;

/** Everything the activities need from outside; `main` puts it together. */
export interface WorkerPorts {
  readonly journal: Pick<Journal, 'submit' | 'reads'>;
  readonly evidence: EvidenceStore;
  readonly edge: Edge;
  /** The router in which lanes and trials are reached by Host header. */
  readonly routerUrl: string;
  /** Lets a gate's requests in where only gates and invited people come. */
  readonly gatePass: string;
  readonly workFolder: string;
  /** Runs tools on what strangers wrote, in a sandbox; null where there is none. */
  readonly isolated: RunChild | null;
  readonly builder: Builder;
  readonly builds: BuildQueue;
  /** By the names that policies know them under. */
  readonly prometheus: ReadonlyMap<string, Prometheus>;
  readonly clock: Clock;
  readonly drawId: () => string;
  readonly fault: Fault;
  readonly log: Log;
}

/** The call of one activity, as far as a step needs to know it. */
export interface Turn {
  /** Run, activity and try: names this very call, so that a repeated claim is told from a second claimant. */
  readonly claimant: string;
  readonly signal: AbortSignal;
  /** How often this step was begun in this activity; a candidate that kills its worker shows here. */
  readonly beginnings: number;
  /** Remembers one more beginning with the next heartbeat. */
  readonly begin: () => void;
}
