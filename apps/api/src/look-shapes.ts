import { paceKinds } from '@proviso/domain';
import { z } from 'zod';
import { time } from './forms.ts';

const logged = z.number().nullable().describe('natural logarithm; null: it was no number');

const units = z.strictObject({ units: z.int(), failed: z.int() });

/** One look as a point of its series. */
export const lookShape = z.strictObject({
  number: z.int(),
  at: time,
  weight: z.int().describe('the share it was taken under, in percent'),
  samples: z.strictObject({ canary: units, stable: units }).describe('all so far'),
  evidence: z.strictObject({
    against: logged,
    advance: logged,
    by: z.enum(['stable', 'objective']).describe('what the canary is held against, to advance'),
  }),
  metrics: z.array(
    z.strictObject({
      metric: z.string(),
      against: logged,
      samples: z.strictObject({ canary: z.number(), stable: z.number() }),
    }),
  ),
  move: z.string(),
  verdict: z.string(),
  reason: z.string(),
  words: z.string(),
});

/** A stretch of a series, with what its evidence is measured by. */
export function looksShape<Look extends typeof lookShape>(look: Look) {
  return z.strictObject({
    items: z.array(look),
    next: z.int().nullable(),
    thresholds: z
      .strictObject({ rollback: z.number(), advance: z.number(), suspicion: z.number() })
      .nullable()
      .describe('natural logarithms; null where the policy has no canary'),
  });
}

/** The series of a canary, as answered. */
export type LooksResource = z.infer<ReturnType<typeof looksShape>>;

/** What a promotion tells of its canary. */
export const canaryShape = z.strictObject({
  weight: z.int(),
  unitsSeen: z.int().nullable(),
  leaseRemainingMs: z.number().nullable(),
  pace: z.enum(paceKinds).describe('usual: as the policy says; else as a person does'),
  outlook: z
    .strictObject({
      needed: z.int().describe('visitors of it until it is proven, at an estimate'),
      perMinute: z.number().nullable(),
      at: time.nullable().describe('when the last of them will have come, if they come as they do'),
      deadline: time.describe('when a person is asked, if it is not proven'),
    })
    .nullable()
    .describe('how much longer; null when it is proven, not under way, or unknown'),
});
