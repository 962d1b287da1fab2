import type { InvariantName } from './invariants/finding.ts';
import type { Patch } from './source-copy.ts';

/** A fault that we put into a copy of the product; the checker must name one of these invariants. */
export interface PlantedBug {
  readonly name: string;
  readonly scenario: 'frozen worker' | 'crowded gate' | 'lapsed lease';
  readonly patches: readonly Patch[];
  readonly breaks: readonly InvariantName[];
}

const lockFile = 'libs/journal/src/submit/lock.ts';

/**
 * Behind the row lock stands the unique number of an entry, which alone would turn the missing lock into retries; to see what
 * the lock is for it is taken away too.
 */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'no fence',
    scenario: 'frozen worker',
    patches: [
      {
        path: 'libs/domain/src/step.ts',
        from: 'return state.fence === command.fence\n    ? null',
        to: 'return state.fence >= command.fence\n    ? null',
      },
    ],
    breaks: ['I4'],
  },
  {
    name: 'no row lock',
    scenario: 'crowded gate',
    patches: [
      {
        path: lockFile,
        from: `kind = 'promotion' and id = any($2::text[]) order by id for update`,
        to: `kind = 'promotion' and id = any($2::text[]) order by id`,
      },
      {
        path: 'libs/journal/src/migrations/0001-spine.sql',
        from: 'hash bytea not null,\n  unique (workspace, stream, stream_id, sseq)',
        to: 'hash bytea not null',
      },
    ],
    breaks: ['chain', 'I1', 'I2'],
  },
  {
    name: 'unleased weight',
    scenario: 'lapsed lease',
    patches: [
      {
        path: 'apps/edge/src/lane-table.ts',
        from: 'const leaseExpiresMs = needsLease(order) ? sentMs + leaseMs : Number.POSITIVE_INFINITY;',
        to: 'const leaseExpiresMs = sentMs + leaseMs + Number.POSITIVE_INFINITY;',
      },
    ],
    breaks: ['I5'],
  },
];
