import { z } from 'zod';
import { time } from './forms.ts';
import { named, page } from './named-schema.ts';
import { actions } from './resources.ts';

const id = z.string().regex(/^whk_[0-9a-f]{32}$/);

const webhook = named(
  'Webhook',
  z.strictObject({
    id,
    name: z.string(),
    origin: z.string().describe('of its address, whose path is shown to nobody'),
    types: z.array(z.string()),
    active: z.boolean(),
    stopped: z.enum(['person', 'gone']).nullable().describe('gone: it answered 410, so nothing is sent any more'),
    previousSecretUntil: time.nullable().describe('until then the secret before signs, too'),
    actions,
  }),
);

const delivery = named(
  'Delivery',
  z.strictObject({
    id: z.string(),
    type: z.string(),
    subject: z.string(),
    state: z.enum(['waiting', 'delivered', 'given_up', 'stopped']),
    attempts: z.int(),
    createdAt: time,
    dueAt: time.nullable().describe('when it is tried next'),
    endedAt: time.nullable(),
    status: z.int().nullable().describe('that the last try was answered with'),
    failure: z.string().nullable().describe('why the last try was none'),
  }),
);

/** What answers about webhooks look like. */
export const webhookResources = {
  webhook,
  webhooks: page('WebhookPage', webhook),
  withSecret: named(
    'WebhookSecret',
    z.strictObject({ webhook, secret: z.string().describe('shown in this answer only') }),
  ),
  delivery,
  deliveries: page('DeliveryPage', delivery),
} as const;
