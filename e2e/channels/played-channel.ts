import type { Door } from '../door.ts';
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

/** A version that is to be frozen: whose it is, and where they do it. */
export interface BroughtVersion {
  readonly door: Door;
  readonly builder: Person;
  readonly prototype: string;
  /** The prototype's, which is new in each deployment. */
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
}

/** A version that was frozen is to be promoted, by these words of its builder. */
export interface Starting extends Pick<BroughtVersion, 'builder' | 'prototype' | 'name' | 'version'> {
  /** By its name. */
  readonly policy: string;
}

/** The promotion whose page stands in what somebody was told who started it. */
export function promotionIn(told: string): string {
  const [, digits] = /\/decide\/gate_([0-9a-f]{32})-approval/.exec(told) ?? [];
  if (digits === undefined) throw new Error(`expected a promotion to be started, got: ${told}`);
  return `prm_${digits}`;
}

/** Somebody's vote for what stands there, or stood there last, in one of the ways that there are. */
export interface Approval {
  readonly person: Person;
  readonly promotion: string;
  readonly way: string;
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
  /** What the journey's prototype is called: two of a workspace need two names. */
  readonly prototype: string;
  /** The ways to answer there, in words; people take one after the other. */
  readonly ways: readonly string[];
  /** What the API has to be told before it starts. */
  readonly environment: (workspace: string) => Readonly<Record<string, string>>;
  /** The deployment runs: from now on it hears. */
  readonly join: (stage: Pick<Stage, 'apiUrl'>) => void;
  /** Makes somebody known there, as they do it themselves. */
  readonly link: (person: Person) => Promise<void>;
  /** Freezes a version in such a way that its promotion is told there; answers the candidate. */
  readonly brought: (version: BroughtVersion) => Promise<string>;
  /** Starts its promotion there; answers what they were told. */
  readonly start: (starting: Starting) => Promise<string>;
  /** The message that asks for a decision, in lines; null while nobody is asked. */
  readonly asking: (promotion: string) => readonly string[] | null;
  readonly approve: (approval: Approval) => Promise<Answered>;
  /** All that stands about a promotion, in lines. */
  readonly shown: (promotion: string) => readonly string[];
  /** When the last message about it changed; null while one is missing, or still wants an answer. */
  readonly finalAt: (promotion: string) => number | null;
  /** Of the messages that asked about it those that do not say that it was approved. */
  readonly unended: (promotion: string) => readonly string[];
  /** Copies that stand more than once. */
  readonly doubled: () => readonly string[];
  /** Asked before each call of ours, with what it says; null lets it pass. */
  setBreakage: (breakage: (call: Call, said: string) => Breakage | null) => void;
  /** What the place found wrong with us. */
  readonly complaints: () => readonly string[];
  readonly close: () => Promise<void>;
  /**
   * More that people look at in the same place, through a journey of its own. They press there what they press anyway, so
   * pace, outages and kills are played once for the place.
   */
  readonly besides: readonly Omit<PlayedChannel, 'besides'>[];
}

/** The way of somebody's turn. */
export function wayOf({ ways }: Pick<PlayedChannel, 'ways'>, turn: number): string {
  const way = ways[turn % ways.length];
  if (way === undefined) throw new Error('expected a way to answer, got none');
  return way;
}
