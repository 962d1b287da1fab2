import type { Command } from '@proviso/domain';
import { bodies, queries } from './forms.ts';
import { resources as r } from './resources.ts';
import type { Route } from './route.ts';

type Row = readonly [
  path: string,
  name: string,
  summary: string,
  kind: Command['kind'],
  json: Route['takes']['json'] & {},
  answers: Route['answers'],
];

const rows: readonly Row[] = [
  [
    ...(['/v1/gates/:id/waivers', 'askWaiver', 'Ask that a finding or a gate be waived for a time'] as const),
    ...(['AskWaiver', bodies.askWaiver, { 201: r.gate }] as const),
  ],
  [
    ...(['/v1/gates/:id/waivers/approve', 'approveWaiver', 'Agree to a waiver that another asked for'] as const),
    ...(['ApproveWaiver', bodies.approveWaiver, { 200: r.gate }] as const),
  ],
  [
    ...(['/v1/promotions/:id/break-glass', 'askBreakGlass', 'Ask to pass people or a freeze in an emergency'] as const),
    ...(['AskBreakGlass', bodies.askBreakGlass, { 201: r.promotion }] as const),
  ],
  [
    ...(['/v1/promotions/:id/break-glass/approve', 'approveBreakGlass', 'Agree to it, as one of two others'] as const),
    ...(['ApproveBreakGlass', bodies.approveBreakGlass, { 200: r.promotion }] as const),
  ],
  [
    ...(['/v1/promotions/:id/break-glass/review', 'reviewBreakGlass', 'Say that somebody has looked at it'] as const),
    ...(['ReviewBreakGlass', bodies.reason, { 200: r.promotion }] as const),
  ],
  [
    ...(['/v1/people/:id/delegations', 'delegate', 'Let this person vote in your stead until a date'] as const),
    ...(['Delegate', bodies.delegate, { 201: r.person }] as const),
  ],
  [
    ...(['/v1/people/:id/delegations/end', 'endDelegation', 'Take your right to vote back'] as const),
    ...(['EndDelegation', bodies.empty, { 200: r.person }] as const),
  ],
  [
    ...(['/v1/lanes/:id/retire', 'retireLane', 'Take what is live out of service'] as const),
    ...(['Retire', bodies.reason, { 200: r.lane }] as const),
  ],
];

/** Doors for what is out of the ordinary: what people let pass for a time, hand on, or take out of service. */
export const exceptionRoutes: readonly Route[] = rows.map(([path, name, summary, kind, json, answers]) => ({
  ...{ method: 'POST', path, name, summary, answers, takes: { query: queries.none, json } },
  access: { kind: 'command', commands: [kind] },
}));
