import { bodies, queries } from '../forms.ts';
import type { Route } from '../route.ts';

/** The door of agents. What they do by their tools goes through the other rows of the table. */
export const mcpRoutes: readonly Route[] = [
  {
    ...{ method: 'POST', path: '/mcp', name: 'hearAgent', summary: 'One message of the Model Context Protocol' },
    access: { kind: 'agent' },
    answers: { 200: 'application/json', 202: 'application/json' },
    takes: { query: queries.none, json: bodies.agentMessage },
  },
  {
    ...{ method: 'GET', path: '/mcp', name: 'listenAgent', summary: 'No stream: 405' },
    access: { kind: 'agent' },
    answers: {},
    takes: { query: queries.none },
  },
];
