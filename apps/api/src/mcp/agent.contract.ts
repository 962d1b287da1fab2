import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type Deployment, pick, pickText } from '../deployment.contract.ts';

/** An agent of a human, with a token as docs/agents.md says. */
export interface Agent {
  readonly id: `psn_${string}`;
  readonly token: string;
}

/** How an agent comes to be, beside whom it acts for. */
export interface AgentOrder {
  readonly roles?: readonly object[];
  readonly scopes?: readonly string[];
  readonly name?: string;
}

/** Adds an agent that acts for Olga, unless it is to be another. */
export async function addAgent(
  here: Deployment,
  { roles = [{ role: 'builder' }], scopes = ['agent'], name = 'Helper' }: AgentOrder = {},
  actsFor: string = here.people.olga,
): Promise<Agent> {
  const added = await here.post('ada', '/v1/people', { name, kind: 'agent', actsFor, roles });
  const id = pickText(added.body, 'id') as Agent['id'];
  const issued = await here.post('ada', `/v1/people/${id}/tokens`, { scopes });
  return { id, token: pickText(issued.body, 'token') };
}

/** Both ways in which clients of today speak: with the handshake of before 2026-07-28, and without. */
export const eras = ['legacy', 'auto'] as const;

/** A client of the published library over a real socket; close it. */
export async function openAgentClient(
  url: string,
  token: string,
  mode: (typeof eras)[number] = 'legacy',
): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit }));
  return client;
}

/** What one call of a tool came to: its data, or the problem that it was answered with. */
export interface Called {
  readonly data: unknown;
  readonly problem: unknown;
  readonly text: string;
}

/** Calls a tool. */
export async function callTool(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Called> {
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
  const text = String(pick(content, 0, 'text'));
  const told: unknown = JSON.parse(text);
  return { data: structuredContent ?? null, problem: isError === true ? pick(told, 'problem') : null, text };
}
