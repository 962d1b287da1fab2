import { strengths } from '@proviso/domain';
import { z } from 'zod';
import { digest, ids, time } from './forms.ts';

const edit = z.strictObject({ field: z.string(), from: z.string(), to: z.string(), strength: z.enum(strengths) });

/** A policy as answered: the version that promotions open with now. */
export const policyShape = z.strictObject({
  id: ids.policy,
  name: z.string(),
  version: z.int(),
  digest,
  author: ids.person,
  environment: z.string(),
  gates: z.array(z.record(z.string(), z.unknown())).describe('the gates in order, with their settings'),
  until: time.nullable().describe('when a weaker version ends and the one before it is in force again'),
  waiting: z
    .strictObject({ version: z.int(), digest, author: ids.person, until: time.nullable() })
    .nullable()
    .describe('a weaker version that an administrator has not agreed to'),
  source: z.string().nullable().describe('as published; null in lists'),
  revision: z.int().describe('its ETag'),
});

/** One version with what its edit did. */
export const policyVersionShape = z.strictObject({
  version: z.int(),
  digest,
  author: ids.person,
  at: time,
  edits: z.array(edit).describe('held against the version that stays'),
  until: time.nullable().describe('when a weaker version ends; null for one that stays'),
  agreed: z.boolean().describe('false while a weaker version waits for an administrator, or when it never got one'),
  reason: z.string().nullable(),
  source: z.string().nullable().describe('as published; null in lists'),
});

/** What an approval would do under a draft. */
export const triedVoteShape = z.strictObject({
  allowed: z.boolean(),
  code: z.string().nullable(),
  rule: z.string().nullable().describe('the rule that says no'),
  message: z.string().nullable(),
  fills: z
    .array(z.strictObject({ from: z.string(), count: z.int() }))
    .describe('the requirements that the approval could fill'),
  met: z.boolean().describe('whether it would be enough with those that are recorded'),
  missing: z.string().nullable(),
});

const end = z.strictObject({ admitted: z.boolean(), gate: z.string().nullable(), why: z.string().nullable() });

/** What a draft would have done to past promotions. */
export const policyReplayShape = z.strictObject({
  looked: z.int().describe('how many past promotions of this policy were decided again'),
  whole: z.boolean().describe('false when there are more than are looked at in one go'),
  changed: z.array(z.strictObject({ promotion: ids.promotion, openedAt: time, before: end, after: end })),
});
