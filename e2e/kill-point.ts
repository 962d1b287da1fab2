import type { Moment } from './wire-sight.ts';

/** The moments at which something is killed; the first four belong to every submission, the others to the worker. */
export const killPoints = [
  'after lock',
  'before commit',
  'after commit',
  'before wake',
  'between claim and act',
  'between act and report',
  'during a weight change',
  'inside a look',
  'during rollback',
] as const;
/** One of them. */
export type KillPoint = (typeof killPoints)[number];

/** Whose connection is watched for a point: the API's own when the API is to die, the worker's otherwise. */
export type Watched = 'api' | 'worker';

/** True when a moment on the wire is this point. */
export function isAt(point: KillPoint, watched: Watched): (moment: Moment) => boolean {
  return (moment) => {
    const { phase, statement, words, writes } = moment;
    const commits = /^commit/i.test(statement);
    switch (point) {
      case 'after lock':
        return phase === 'completed' && /^submit\.lock/.test(statement) && /prm_/.test(words);
      case 'before commit':
        return phase === 'sent' && commits && writes;
      case 'after commit':
        return phase === 'completed' && commits && writes;
      case 'before wake':
        // The API only says that there is something to wake; the waker in the worker does it.
        return watched === 'api'
          ? phase === 'sent' && statement === 'journal.notify'
          : phase === 'row' && statement === 'waker.dirty';
      case 'between claim and act':
        return phase === 'completed' && commits && writes && words.includes('"kind":"step_claimed"');
      // The key is among the first parameters of a submission, whatever statement carries it.
      case 'between act and report':
        return phase === 'sent' && !writes && /prm_[0-9a-f]{32}\/\w+\/\d+\/\d+\/report/.test(words);
      case 'during a weight change':
        return phase === 'completed' && commits && writes && words.includes('"kind":"weight_set"');
      case 'inside a look':
        return phase === 'sent' && !writes && /\/look-\d/.test(words);
      case 'during rollback':
        return phase === 'completed' && commits && writes && /"kind":"undo_(ordered|claimed)"/.test(words);
    }
  };
}

/** The worker kills itself at these; they lie in its code and not on the wire. */
export const ownFaults: Readonly<Partial<Record<KillPoint, string>>> = {
  'before wake': 'before_wake',
  'between claim and act': 'after_claim',
  'between act and report': 'before_report',
  'during a weight change': 'during_weight_change',
  'inside a look': 'inside_look',
  'during rollback': 'during_rollback',
};

/** The promotion that a moment is about, when its words name one. */
export function promotionIn({ words }: Moment): string | null {
  return words.match(/prm_[0-9a-f]{32}/g)?.at(-1) ?? null;
}
