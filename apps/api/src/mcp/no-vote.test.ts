import type { Client } from '@modelcontextprotocol/client';
import { roles, scopes } from '@proviso/domain';
import fc from 'fast-check';
import pg from 'pg';
import { openCanaryStage } from '../canary.contract.ts';
import { type Deployment, atApproval, listening, openDeployment, pick } from '../deployment.contract.ts';
import { type Agent, addAgent, callTool, openAgentClient } from './agent.contract.ts';
import { tools } from './tools.ts';

let here: Deployment;
let agent: Agent;
let client: Client;
let words: readonly string[];
let scene: Awaited<ReturnType<typeof atApproval>>;

/** What a door grants; the rest is inside only. */
const granted = roles.filter(
  (role) => !['worker', 'keeper', 'founder', 'porter', 'workload', 'approver'].includes(role),
);

beforeAll(async () => {
  here = await openDeployment();
  const url = await listening(here);
  scene = await atApproval(here, 'no-vote');
  const other = await atApproval(here, 'another');
  const { promotion } = await openCanaryStage(here).canaryOf('canary');
  // Everything that an administrator could give, to an agent whose human may vote here.
  const given = [...granted.map((role) => ({ role })), { role: 'approver', group: 'security' }];
  agent = await addAgent(here, { roles: given, scopes }, here.people.sam);
  client = await openAgentClient(url, agent.token);
  const { digests, gate, prototype, candidate, policy } = scene;
  const { artifactDigest, evidenceDigest } = digests;
  words = [
    ...[scene.promotion, gate, prototype, candidate, policy, artifactDigest, evidenceDigest],
    ...[other.promotion, other.gate, promotion, `gate_${promotion.slice(4)}-canary`, ...Object.values(here.people)],
    ...['approve', 'reject', 'decide', 'advance', 'pause', 'mended', '../decisions', `${gate}/decisions`, '%2e%2e/x'],
    `${scene.promotion}/advance`,
  ];
});

afterAll(async () => {
  await client.close();
  await here.close();
});

/** Every kind of entry that stands in this agent's name, with the end that it tells of. */
async function kindsBy({ id }: Agent): Promise<readonly string[]> {
  const database = new pg.Client({ connectionString: here.superuserUrl });
  await database.connect();
  try {
    const found = await database.query<{ kind: string }>(
      `select distinct concat_ws(' ', kind, told -> 'body' ->> 'outcome') as kind
         from proviso.entry, lateral (select convert_from(bytes, 'UTF8')::json as told) as read
        where told -> 'actor' ->> 'pid' = $1`,
      [id],
    );
    return found.rows.map(({ kind }) => kind).toSorted();
  } finally {
    await database.end();
  }
}

/** What the tools bring about, and what the journal writes when it says no. */
const allowed = [
  ...['promotion_opened', 'lane_queued', 'gate_reopened', 'canary_paused', 'lane_held', 'commented'],
  // Taken back before anybody was served it ends at once.
  ...['undo_ordered rolled_back', 'promotion_ended rolled_back', 'promotion_ended superseded'],
  ...['refusal_recorded', 'refusals_summed'],
];

/** Names of arguments that some tool takes, and such as a vote would need. */
const names = [
  ...['promotion', 'gate', 'prototype', 'candidate', 'policy', 'person', 'action', 'reason', 'text', 'key', 'source'],
  ...['verdict', 'attempt', 'artifactDigest', 'evidenceDigest', 'waiver', 'until', 'id', 'constructor'],
];

function aCall(): fc.Arbitrary<{ readonly name: string; readonly args: Record<string, string> }> {
  const word = fc.nat().map((index) => words[index % words.length] ?? '');
  return fc.record({
    name: fc.constantFrom(...tools.map((tool) => tool.name)),
    args: fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), word), { maxLength: 5, selector: ([name]) => name })
      .map((pairs) => Object.fromEntries(pairs)),
  });
}

/** The same with the arguments that the tool really takes, so that something is done. */
async function earnestly(reason: string): Promise<void> {
  const { promotion, gate, prototype, candidate, policy } = scene;
  for (const id of words.filter((word) => /^prm_[0-9a-f]{32}$/.test(word))) {
    await callTool(client, 'pause_canary', { promotion: id, reason });
    await callTool(client, 'explain_action', { promotion: id, action: 'approve', person: agent.id });
  }
  await callTool(client, 'comment', { promotion, text: reason });
  await callTool(client, 'rerun_gate', { gate, reason });
  await callTool(client, 'start_promotion', { prototype, candidate, policy });
  await callTool(client, 'roll_back', { promotion, reason });
}

describe('no sequence of calls', () => {
  it('by an agent with every role, every scope and every id leads to a vote, or to anything beside its tools', async () => {
    const sequence = fc.array(aCall(), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sequence, async (calls) => {
        here.parts.refusals.forgive(agent.id);
        for (const { name, args } of calls) await callTool(client, name, args);
      }),
      { numRuns: 25, seed: 20_261_121 },
    );
    here.parts.refusals.forgive(agent.id);
    await earnestly('approve this at once');
    await here.parts.summary.flush();
    const kinds = await kindsBy(agent);
    expect(kinds.filter((kind) => !allowed.includes(kind))).toEqual([]);
    // Something was done: the calls came through.
    expect(kinds).toEqual(
      expect.arrayContaining(['commented', 'canary_paused', 'promotion_opened', 'refusal_recorded']),
    );
    for (const { id, decisions } of await gatesSeen())
      expect([id, decisions.filter((one) => pick(one, 'person', 'id') === agent.id)]).toEqual([id, []]);
  }, 240_000);

  it('nor does its token, where people vote', async () => {
    const fresh = await atApproval(here, 'by-hand');
    here.parts.refusals.forgive(agent.id);
    const headers = { authorization: `Bearer ${agent.token}` };
    const vote = { verdict: 'approve', ...fresh.digests };
    const answer = await here.ask(null, 'POST', fresh.decisions, { payload: vote, headers });
    expect([answer.status, answer.body['rule']]).toEqual([403, 'humans_only']);
  });
});

async function gatesSeen(): Promise<readonly { readonly id: string; readonly decisions: readonly unknown[] }[]> {
  const { body } = await here.ask('aud', 'GET', '/v1/promotions');
  return (body['items'] as readonly { gates: { id: string; decisions: unknown[] }[] }[]).flatMap(({ gates }) => gates);
}
