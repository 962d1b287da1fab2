import type { Command } from '@proviso/domain';
import { queries } from './forms.ts';
import type { Access, Route, Takes } from './route.ts';

/** Anyone. */
export const open: Access = { kind: 'public' };
/** Any known principal, about themselves. */
export const self: Access = { kind: 'self', session: true };
/** A right to read the workspace. */
export const read: Access = { kind: 'read', session: true };
/** The same, or a vote in another's stead on what is read. */
export const readToVote: Access = { kind: 'read', session: true, voters: true };
/** A right to run an edge. */
export const edge: Access = { kind: 'edge' };

/** A right to give these commands, which the journal looks at. */
export function command(...commands: readonly Command['kind'][]): Access {
  return { kind: 'command', commands };
}

/** A route as it stands in the table: where, its name, what it does, for whom, what it answers and takes. */
export type Row = readonly [
  path: string,
  name: string,
  summary: string,
  access: Access,
  answers: Route['answers'],
  takes?: Takes,
];

/** A row of what is only read. */
export function get([path, name, summary, access, answers, takes = {}]: Row): Route {
  return { method: 'GET', path, name, summary, access, answers, takes: { query: queries.none, ...takes } };
}

/** A row of what changes something. */
export function post([path, name, summary, access, answers, takes = {}]: Row): Route {
  return { method: 'POST', path, name, summary, access, answers, takes: { query: queries.none, ...takes } };
}

/** A row of what is set as a whole. */
export function put([path, name, summary, access, answers, takes = {}]: Row): Route {
  return { method: 'PUT', path, name, summary, access, answers, takes: { query: queries.none, ...takes } };
}
