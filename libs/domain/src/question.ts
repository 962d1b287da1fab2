/**
 * Whether a commit may go on, as somebody outside asks it of us: a deploy job that waits at a protection rule, or a merge
 * queue that waits for a check. It is kept until it is answered, so whoever is away meanwhile loses nothing.
 */
export interface Question {
  /** Of what is asked and where: the same asked twice is one question. */
  readonly id: string;
  readonly kind: 'rule' | 'queue';
  /** `owner/name`. */
  readonly repository: string;
  /** What would be deployed; of a queue the head of its group. */
  readonly commit: string;
  /** Of a rule: the environment that is to be deployed to, and the run that waits. */
  readonly environment: string | null;
  readonly run: number | null;
  /** Of a queue: the pull request at its end. */
  readonly pull: number | null;
}

/** A question as kept; how long ago is told by the clock that keeps it. */
export interface OpenQuestion extends Question {
  readonly askedAgoMs: number;
  /** What was said last on the way to an answer, in our own words for it; null: nothing. */
  readonly said: string | null;
  /** How often something was said. */
  readonly reports: number;
  /** Null: nothing was said yet. */
  readonly saidAgoMs: number | null;
}

/** The questions of one workspace. */
export interface QuestionRegister {
  /** Keeps a question. False: it is known. */
  readonly ask: (question: Question) => Promise<boolean>;
  /** Questions that are due, for nobody else to take for a while: whoever dies with one gives it back by that. */
  readonly take: (limit: number, forMs: number) => Promise<readonly OpenQuestion[]>;
  /** Notes that something was said, and looks again after this time. */
  readonly told: (id: string, what: { readonly said: string; readonly restMs: number }) => Promise<void>;
  readonly putOff: (id: string, forMs: number) => Promise<void>;
  /** It was answered, or nothing will come of it any more. */
  readonly close: (id: string, answer: string) => Promise<void>;
}
