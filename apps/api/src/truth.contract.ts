import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Deployment, pick, sequence } from './deployment.contract.ts';

/** What one surface says about a promotion at whose approval people decided. */
export interface Truth {
  readonly outcome: string | null;
  /** How the approval gate stands. */
  readonly gate: string;
  /** Ids of the decisions, in their order. */
  readonly decisions: readonly string[];
}

/** The same question asked on every surface, in a moment in which nobody changes anything. */
export async function truthsOf(
  here: Deployment,
  url: string,
  promotion: string,
): Promise<Readonly<Record<string, Truth>>> {
  const [read, gate] = await Promise.all([
    here.ask('aud', 'GET', `/v1/promotions/${promotion}`),
    here.ask('aud', 'GET', `/v1/gates/gate_${promotion.slice('prm_'.length)}-approval`),
  ]);
  const told = await entriesOf(here, promotion);
  return {
    promotion: truthIn(read.body),
    gate: { ...truthIn(read.body), ...gateTruth(gate.body) },
    'command line': truthIn(await shownByCli(here, url, promotion)),
    history: told,
  };
}

/** What live events tell about a promotion: each entry's number and kind, in the order in which they came. */
export async function toldLive(here: Deployment, url: string, promotion: string): Promise<readonly string[]> {
  await sequence(here);
  const { incarnation, last } = await here.parts.journal.reads(here.workspace).log();
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${here.tokens.aud}`, 'last-event-id': `${incarnation}.0` };
  const response = await fetch(`${url}/v1/events`, { headers, signal: stop.signal });
  let said = '';
  for await (const chunk of response.body ?? []) {
    said += Buffer.from(chunk).toString('utf8');
    if (said.includes(`id: ${incarnation}.${last}\n`)) break;
  }
  stop.abort();
  const events = [...said.matchAll(/^data: (\{"position".*\})$/gm)].map(([, data = '{}']) => JSON.parse(data) as Told);
  return events
    .filter(({ streamId }) => streamId === promotion)
    .map(({ sequence: number, kind }) => `${number} ${kind}`);
}

/** The same out of the history. */
export async function toldLater(here: Deployment, promotion: string): Promise<readonly string[]> {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history?limit=500`);
  const items = body['items'] as readonly Told[];
  return items.map(({ sequence: number, kind }) => `${number} ${kind}`);
}

interface Told {
  readonly sequence: number;
  readonly kind: string;
  readonly streamId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

function truthIn(promotion: unknown): Truth {
  const gates = pick(promotion, 'gates') as readonly { readonly name: string }[];
  const outcome = pick(promotion, 'outcome') as string | null;
  return { outcome, ...gateTruth(gates.find(({ name }) => name === 'approval')) };
}

function gateTruth(gate: unknown): Pick<Truth, 'gate' | 'decisions'> {
  const decisions = pick(gate, 'decisions') as readonly { readonly id: string }[];
  return { gate: String(pick(gate, 'status')), decisions: decisions.map(({ id }) => id) };
}

/** Told by the entries alone, without our own fold: what was decided, whether the quorum was reached, how it ended. */
async function entriesOf(here: Deployment, promotion: string): Promise<Truth> {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history?limit=500`);
  const items = body['items'] as readonly Told[];
  const of = (kind: string): readonly Told[] => items.filter((entry) => entry.kind === kind);
  const decisions = of('decision_recorded').map(({ body: told }) => String(pick(told, 'decision', 'id')));
  const [ended] = of('promotion_ended');
  const outcome = ended === undefined ? null : String(pick(ended.body, 'outcome'));
  const passed = of('quorum_reached').length === 1;
  const open = outcome === null ? 'waiting' : outcome === 'expired' ? 'expired' : 'stopped';
  return { outcome, gate: passed ? 'passed' : open, decisions };
}

const commandFile = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));

async function shownByCli(here: Deployment, url: string, promotion: string): Promise<unknown> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [commandFile, 'status', promotion, '--json'], {
    env: { PATH, HOME, PROVISO_URL: url, PROVISO_TOKEN: here.tokens.aud },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout));
}
