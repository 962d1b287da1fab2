import type { Client } from '@modelcontextprotocol/client';
import { openCanaryStage } from '../canary.contract.ts';
import {
  type Deployment,
  atApproval,
  listening,
  openDeployment,
  passByWorker,
  pick,
  pickText,
  policySource,
  registered,
} from '../deployment.contract.ts';
import { type Agent, addAgent, callTool, eras, openAgentClient } from './agent.contract.ts';
import { tools } from './tools.ts';

let here: Deployment;
let url: string;
let agent: Agent;
let client: Client;
let things: Awaited<ReturnType<typeof atApproval>>;

beforeAll(async () => {
  here = await openDeployment();
  url = await listening(here);
  things = await atApproval(here, 'agents');
  agent = await addAgent(here);
  client = await openAgentClient(url, agent.token);
});

afterAll(async () => {
  await client.close();
  await here.close();
});

/** What history says of a promotion's newest entry of this kind. */
async function told(promotion: string, kind: string): Promise<unknown> {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`);
  return (body['items'] as readonly { readonly kind: string }[]).findLast((entry) => entry.kind === kind);
}

/** Who did it, for whom, and by what. */
function byTool(tool: string) {
  return {
    by: { id: agent.id, name: 'Helper' },
    actsFor: { id: here.people.olga, name: 'Name of olga' },
    authn: `token/mcp/${tool}`,
  };
}

/** What it can always do. */
const commenting = { rel: 'comment', allowed: true };

describe('an agent looks', () => {
  it.each(eras)('at where a promotion stands, speaking as clients of the era %s do', async (mode) => {
    const other = await openAgentClient(url, agent.token, mode);
    const { data, text } = await callTool(other, 'promotion_status', { promotion: things.promotion });
    expect(data).toMatchObject({ id: things.promotion, state: 'waiting_for_human', at: 'approval' });
    expect(JSON.parse(text)).toEqual(data);
    expect(other.getProtocolEra()).toBe(mode === 'legacy' ? 'legacy' : 'modern');
    expect(other.getInstructions()).toContain('Approving, rejecting, waiving and hurrying are for people');
    await other.close();
  });

  it('at everything that a tool shows, as that tool has promised it', async () => {
    const { promotion, gate, prototype, policy } = things;
    const source = policySource.replace('count: 2', 'count: 1');
    const calls: Record<string, Record<string, unknown>> = {
      list_promotions: { open: true },
      promotion_status: { promotion },
      gate_evidence: { gate },
      explain_action: { promotion, action: 'approve' },
      list_prototypes: {},
      list_versions: { prototype },
      list_policies: {},
      explain_policy: { policy },
      simulate_policy: { source },
      test_policy: { source, person: here.people.sam, promotion },
    };
    expect(Object.keys(calls)).toEqual(tools.filter(({ effect }) => effect === 'reads').map(({ name }) => name));
    const seen: Record<string, unknown> = {};
    for (const [name, args] of Object.entries(calls)) {
      const { data, problem } = await callTool(client, name, args);
      expect([name, problem]).toEqual([name, null]);
      seen[name] = data;
    }
    expect(seen).toMatchObject({
      list_promotions: { promotions: [{ id: promotion, version: { untrusted: 'v1' } }], next: null },
      gate_evidence: { status: 'waiting', requirements: [{ from: 'group/security', count: 2, have: 0 }], decisions: 0 },
      explain_action: { allowed: false, decidedBy: 'ability/Decide', whoCan: ['group/security'] },
      list_prototypes: { prototypes: [{ id: prototype, name: { untrusted: 'agents' } }] },
      list_versions: { versions: [{ from: 'upload', removed: false }] },
      list_policies: { policies: [{ id: policy, name: { untrusted: 'careful' } }] },
      explain_policy: { gates: [{ gate: 'readiness' }, { gate: 'approval' }, { gate: 'canary' }], waits: false },
      simulate_policy: { looked: 1, changed: { items: [], more: 0 } },
      test_policy: { allowed: true, met: true, missing: null },
    });
  });

  it('page by page', async () => {
    await registered(here, 'second');
    const first = await callTool(client, 'list_prototypes', { limit: 1 });
    const second = await callTool(client, 'list_prototypes', { limit: 1, after: pick(first.data, 'next') });
    const ids = [first, second].map(({ data }) => pick(data, 'prototypes', 0, 'id'));
    expect(new Set(ids).size).toBe(2);
  });
});

describe('an agent acts', () => {
  it('by starting a promotion, once for each key, and the human behind it has no vote on that', async () => {
    const { prototype, candidate, policy } = await registered(here, 'started');
    const args = { prototype, candidate, policy, key: 'once' };
    const [one, again] = [
      await callTool(client, 'start_promotion', args),
      await callTool(client, 'start_promotion', args),
    ];
    const promotion = pickText(one.data, 'id') as `prm_${string}`;
    expect(pick(again.data, 'id')).toBe(promotion);
    expect(await told(promotion, 'promotion_opened')).toMatchObject(byTool('start_promotion'));
    await passByWorker(here, promotion, 'readiness');
    const explained = await callTool(client, 'explain_action', {
      promotion,
      action: 'approve',
      person: here.people.olga,
    });
    expect(explained.data).toMatchObject({ allowed: false });
    const state = (await here.parts.journal.reads(here.workspace).promotion(promotion))?.state;
    expect(state?.exclusions).toContainEqual({ person: here.people.olga, why: 'requester' });
  });

  it('by running a blocked gate again', async () => {
    const { prototype, candidate, policy } = await registered(here, 'blocked');
    const opened = await callTool(client, 'start_promotion', { prototype, candidate, policy });
    const promotion = pickText(opened.data, 'id') as `prm_${string}`;
    await passByWorker(here, promotion, 'readiness', 'fail');
    const gate = `gate_${promotion.slice('prm_'.length)}-readiness`;
    const blocked = await callTool(client, 'promotion_status', { promotion });
    expect(blocked.data).toMatchObject({ state: 'blocked', actions: [{ rel: 'rerun', allowed: true }, commenting] });
    const { data } = await callTool(client, 'rerun_gate', { gate, reason: 'mended' });
    expect(data).toMatchObject({ receipt: 'recorded' });
    expect(await told(promotion, 'gate_reopened')).toMatchObject({ ...byTool('rerun_gate'), reason: 'mended' });
  });

  it('by saying something, once for each key, in its own name and for its human', async () => {
    const { promotion } = things;
    const args = { promotion, text: 'the evaluation\nmissed two cases', key: 'said' };
    const calls = [await callTool(client, 'comment', args), await callTool(client, 'comment', args)];
    expect(calls.map(({ data }) => pick(data, 'receipt'))).toEqual(['recorded', 'replayed']);
    expect(await told(promotion, 'commented')).toMatchObject({ ...byTool('comment'), reason: args.text });
    const wrong = await callTool(client, 'comment', { promotion, text: ' ', verdict: 'approve' });
    expect(wrong.problem).toMatchObject({
      ...{ status: 422, code: 'invalid' },
      errors: [{ pointer: { untrusted: '/arguments/text' } }, { code: 'unknown_field' }],
    });
    const narrow = await openAgentClient(url, (await addAgent(here, { scopes: ['read'] })).token);
    expect((await callTool(narrow, 'comment', { promotion, text: 'hello' })).problem).toMatchObject({
      code: 'scope_missing',
    });
    await narrow.close();
  });

  it('by pausing a canary and by rolling it back, and by nothing that brings it to more users', async () => {
    const { promotion } = await openCanaryStage(here).canaryOf('canary');
    const paused = await callTool(client, 'pause_canary', { promotion, reason: 'odd answers' });
    expect(paused.data).toMatchObject({ receipt: 'recorded' });
    expect(await told(promotion, 'canary_paused')).toMatchObject(byTool('pause_canary'));
    const headers = { authorization: `Bearer ${agent.token}` };
    for (const verb of ['unpause', 'advance', 'cancel']) {
      const payload = { reason: 'test' };
      const answer = await here.ask(null, 'POST', `/v1/promotions/${promotion}/${verb}`, { payload, headers });
      expect([verb, answer.status]).toEqual([verb, 403]);
    }
    const back = await callTool(client, 'roll_back', { promotion, reason: 'wrong prices' });
    expect(back.data).toMatchObject({ receipt: 'recorded' });
    expect(await told(promotion, 'undo_ordered')).toMatchObject({ ...byTool('roll_back'), reason: 'wrong prices' });
  });
});

describe('an agent is told no', () => {
  it('with the code and who can, and the journal has the tool', async () => {
    const reader = await addAgent(here, { roles: [{ role: 'auditor' }], name: 'Reader' });
    const other = await openAgentClient(url, reader.token);
    const { problem, data } = await callTool(other, 'roll_back', { promotion: things.promotion, reason: 'test' });
    expect(problem).toMatchObject({ status: 403, code: 'not_permitted', whoCan: ['role/builder', 'role/operator'] });
    expect(data).toBeNull();
    const log = await here.parts.journal.reads(here.workspace).history({ stream: 'log', id: 'refusals', limit: 1_000 });
    expect(log.map(({ bytes }) => JSON.parse(bytes) as unknown)).toContainEqual(
      expect.objectContaining({
        actor: expect.objectContaining({ pid: reader.id, actsFor: here.people.olga, authn: 'token/mcp/roll_back' }),
        body: expect.objectContaining({ command: 'Rollback', code: 'not_permitted' }),
      }),
    );
    await other.close();
  });

  it('where its token is narrower than its roles', async () => {
    const narrow = await openAgentClient(url, (await addAgent(here, { scopes: ['read'] })).token);
    const { prototype, candidate, policy } = things;
    const { problem } = await callTool(narrow, 'start_promotion', { prototype, candidate, policy });
    expect(problem).toMatchObject({ status: 403, code: 'scope_missing' });
    await narrow.close();
  });

  it('about what is not there, what is wrong with its words, and a name that is no tool', async () => {
    const promotion = `prm_${'0'.repeat(32)}`;
    expect(await callTool(client, 'promotion_status', { promotion })).toMatchObject({ problem: { code: 'not_found' } });
    const foreign = await callTool(client, 'promotion_status', { promotion: 'prm_1', verdict: 'approve' });
    expect(foreign.problem).toMatchObject({
      ...{ status: 422, code: 'invalid' },
      errors: [
        { pointer: { untrusted: '/arguments/promotion' } },
        { pointer: { untrusted: '/arguments/verdict' }, code: 'unknown_field' },
      ],
    });
    await expect(callTool(client, 'approve')).rejects.toThrow('expected a tool of the list, got another name');
    await expect(callTool(client, 'constructor')).rejects.toThrow('expected a tool of the list');
  });

  it('once its human is shut out', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Rex', roles: [{ role: 'builder' }] });
    const human = pickText(added.body, 'id');
    const orphan = await addAgent(here, {}, human);
    const other = await openAgentClient(url, orphan.token);
    expect((await callTool(other, 'list_policies')).problem).toBeNull();
    await here.post('ada', `/v1/people/${human}/disable`, {});
    await expect(callTool(other, 'list_policies')).rejects.toThrow('nobody_answers');
    await other.close();
  });
});
