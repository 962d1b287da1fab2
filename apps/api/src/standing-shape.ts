import { gateNames, gateStatuses, outcomes, promotionStates } from '@proviso/domain';
import { z } from 'zod';
import { ids, time } from './forms.ts';

/** Where a promotion stands, for whoever has asked for it and may read nothing else. */
export const standingShape = z.strictObject({
  id: ids.promotion,
  prototype: ids.prototype,
  version: z.string(),
  state: z.enum(promotionStates),
  headline: z.string(),
  outcome: z.enum(outcomes).nullable(),
  gates: z.array(z.strictObject({ name: z.enum(gateNames), status: z.enum(gateStatuses) })),
  url: z.string().describe('the page for people'),
  endedAt: time.nullable(),
});
