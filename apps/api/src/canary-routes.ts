import { bodies, queries } from './forms.ts';
import { resources } from './resources.ts';
import type { Route } from './route.ts';
import { command, get, post, read } from './route-row.ts';

/** What is seen of a canary, and a person's hand on its ramp. */
export const canaryRoutes: readonly Route[] = [
  post([
    '/v1/promotions/:id/pause',
    'pausePromotion',
    'Let its canary stay at its share; it is looked at as before',
    command('Pause'),
    { 202: resources.done },
    { json: bodies.reason },
  ]),
  post([
    '/v1/promotions/:id/unpause',
    'unpausePromotion',
    'Let its canary climb again',
    command('Unpause'),
    { 202: resources.done },
    { json: bodies.reason },
  ]),
  post([
    '/v1/promotions/:id/advance',
    'advancePromotion',
    "Let its canary go to the policy's next share without waiting for the end of its dwell",
    command('Advance'),
    { 202: resources.done },
    { json: bodies.reason },
  ]),
  get([
    '/v1/promotions/:id/looks',
    'listLooks',
    "The looks of the canary's judge as a series, oldest first",
    read,
    { 200: resources.looks },
    { query: queries.looks },
  ]),
];
