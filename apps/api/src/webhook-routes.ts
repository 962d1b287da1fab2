import { bodies } from './forms.ts';
import type { Route } from './route.ts';
import { command, get, post, put, read } from './route-row.ts';
import { webhookBodies, webhookQueries } from './webhook-forms.ts';
import { webhookResources as r } from './webhook-shapes.ts';

/** Doors of who outside is told of events. */
export const webhookRoutes: readonly Route[] = [
  get(['/v1/webhooks', 'listWebhooks', 'Who outside is told of events', read, { 200: r.webhooks }]),
  post([
    '/v1/webhooks',
    'addWebhook',
    'Tell somebody outside of events from now on; the secret that they are signed with is shown once',
    command('AddWebhook'),
    { 201: r.withSecret },
    { json: webhookBodies.add },
  ]),
  get(['/v1/webhooks/:id', 'readWebhook', 'One webhook', read, { 200: r.webhook }]),
  put([
    '/v1/webhooks/:id',
    'changeWebhook',
    'Set which events it is told, and whether any; it goes on with what happens from then on',
    command('ChangeWebhook'),
    { 200: r.webhook },
    { json: webhookBodies.change },
  ]),
  post([
    '/v1/webhooks/:id/secret',
    'rotateWebhook',
    'Give it another secret, shown once; for a while events are signed under both',
    command('RotateWebhook'),
    { 201: r.withSecret },
    { json: webhookBodies.rotate },
  ]),
  post([
    '/v1/webhooks/:id/remove',
    'removeWebhook',
    'Tell it nothing more, and forget its address, its secrets and its deliveries',
    command('RemoveWebhook'),
    { 200: r.webhook },
    { json: bodies.empty },
  ]),
  get([
    '/v1/webhooks/:id/deliveries',
    'listDeliveries',
    'What was sent to it and what waits, newest first; kept for 30 days',
    read,
    { 200: r.deliveries },
    { query: webhookQueries.deliveries },
  ]),
  post([
    '/v1/webhooks/:id/deliveries/resend',
    'resendDelivery',
    'Send an event again, under the same id',
    command('ResendWebhook'),
    { 202: r.delivery },
    { json: webhookBodies.resend },
  ]),
];
