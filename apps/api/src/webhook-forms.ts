import { overlapMsMax, webhookTypesMax } from '@proviso/domain';
import { eventTypes, unknownType } from '@proviso/webhooks';
import { z } from 'zod';

const types = z
  .array(z.string().max(100))
  .min(1)
  .max(webhookTypesMax)
  .refine((named) => unknownType(named) === null, {
    error: 'expected types of events as the description lists them, or dev.proviso.gate.* for all below one',
  })
  .describe(`each by its name, or all below one (dev.proviso.gate.*): ${eventTypes.join(', ')}`);

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens');

const delivery = z.string().regex(/^dlv_[0-9a-f]{32}$/, 'expected dlv_ and 32 hexadecimal digits');

const dayHours = 24;

/** Bodies about webhooks. */
export const webhookBodies = {
  add: z.strictObject({
    name,
    address: z.string().min(1).max(2_000).describe('kept sealed; what is shown of it is its origin'),
    types,
  }),
  change: z.strictObject({ types, active: z.boolean() }),
  rotate: z
    .strictObject({
      overlapHours: z
        .number()
        .int()
        .min(0)
        .max(overlapMsMax / 3_600_000)
        .default(dayHours)
        .describe('how long the secret before signs, too'),
    })
    .default({ overlapHours: dayHours }),
  resend: z.strictObject({ delivery }),
} as const;

/** Queries about webhooks. */
export const webhookQueries = {
  deliveries: z.strictObject({
    after: delivery.optional().describe('the `next` of the page before'),
    limit: z.coerce.number().int().min(1).max(100).default(50),
  }),
} as const;
