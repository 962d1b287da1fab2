import type { Stage } from '../stage.ts';

/** Somebody of the cast, as a channel needs them. */
export interface Person {
  readonly id: string;
  readonly token: string;
}

/** What somebody was told who answered in a channel, and when the place was told that they were heard. */
export interface Answered {
  readonly told: string;
  readonly acknowledgedMs: number;
  readonly acknowledgedAt: number;
}

/** A way to break the place where messages stand: it does nothing, does nothing more, or does it and tells nobody. */
export type Breakage = 'away' | 'loses_answer';

/** What we ask of the place: a new message, a change of one, or anything else. */
export type Call = 'post' | 'change' | 'other';

/**
 * A channel whose place stands on this machine, with people in it. The journey is the same for each: a channel is one more
 * file that says how messages are looked at and answered there.
 */
export interface PlayedChannel {
  readonly name: string;
  /** What the API has to be told before it starts. */
  readonly environment: (workspace: string) => Readonly<Record<string, string>>;
  /** The deployment runs: from now on it hears. */
  readonly join: (stage: Pick<Stage, 'apiUrl'>) => void;
  /** Makes somebody known there, as they do it themselves. */
  readonly link: (person: Person) => Promise<void>;
  /** The message that asks for a decision, in lines; null while nobody is asked. */
  readonly asking: (promotion: string) => readonly string[] | null;
  /** Gives a vote on what stands there, or stood there last. */
  readonly approve: (person: Person, promotion: string) => Promise<Answered>;
  /** All that stands about a promotion, in lines. */
  readonly shown: (promotion: string) => readonly string[];
  /** When the last message about it changed; null while one is missing, or still wants an answer. */
  readonly finalAt: (promotion: string) => number | null;
  /** Copies that stand more than once. */
  readonly doubled: () => readonly string[];
  /** Asked before each call of ours; null lets it pass. */
  setBreakage: (breakage: (call: Call) => Breakage | null) => void;
  /** What the place found wrong with us. */
  readonly complaints: () => readonly string[];
  readonly close: () => Promise<void>;
}
