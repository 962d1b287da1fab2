import { randomUUID } from 'node:crypto';
import { builtinPrincipals, type Command, idFrom, type PersonId, type Policy, type WorkspaceId } from '@proviso/domain';
import { createDatabase } from '@proviso/testkit';
import { type Journal, openJournal } from '../index.ts';
import type { Loaded } from './load.ts';
import { rememberStreams } from './remembered.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;

const policy: Policy = {
  name: 'two processes',
  environment: 'production',
  evidenceAgeMaxMs: 30 * 86_400_000,
  gates: [
    { gate: 'approval', requirements: [{ from: 'group/security', count: 3 }], expiresMs: 86_400_000 },
    {
      ...{ gate: 'canary', attemptsMax: 3, weights: [50], lookMs: 1_000, dwellMs: 0, deadlineMs: 60_000 },
      ...{ alpha: 0.01, beta: 0.05, rateRatioMax: 2 },
    },
  ],
};

const workspace: WorkspaceId = idFrom('wsp', randomUUID());
const founder = builtinPrincipals.founder.id;
const bea = idFrom('psn', randomUUID());
const ada = idFrom('psn', randomUUID());
const approvers = Array.from({ length: 4 }, () => idFrom('psn', randomUUID()));
let one: Journal;
let other: Journal;

beforeAll(async () => {
  const { appUrl: url, vaultKeyHex } = await createDatabase();
  const open = () => openJournal({ url, vaultKeyHex, connectionsMax: 4, origin: 'test', durable: false });
  [one, other] = await Promise.all([open(), open()]);
  await ask(one, founder, { kind: 'OpenWorkspace', workspace, name: 'test' });
  const add = (person: PersonId, bindings: Extract<Command, { kind: 'AddPerson' }>['bindings']) =>
    ask(one, founder, { kind: 'AddPerson', person, principal: 'human', bindings });
  await add(bea, [{ role: 'builder' }, { role: 'policy-owner' }]);
  await add(ada, [{ role: 'administrator' }]);
  for (const person of approvers) await add(person, [{ role: 'approver', group: 'security' }]);
});

afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

async function ask(journal: Journal, actor: PersonId, command: Command): Promise<string> {
  const idempotencyKey = randomUUID();
  const receipt = await journal.submit({ workspace, actor, command, idempotencyKey, authn: 'test' });
  return receipt.kind === 'refused' ? receipt.refusal.code : receipt.kind;
}

/** A promotion whose first gate asks three people, opened by the first process. */
async function opened() {
  const [prototype, promotion] = [idFrom('pro', randomUUID()), idFrom('prm', randomUUID())];
  const [policyId, candidate] = [idFrom('pol', randomUUID()), idFrom('cnd', randomUUID())];
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  const hosts = { staging: `${prototype}-s`, production: `${prototype}-p` };
  await ask(one, bea, { kind: 'RegisterPrototype', prototype, name: 'desk', owner: bea, lanes, hosts });
  const content = {
    ...{ id: candidate, version: 'v1', manifestDigest: digest('a') },
    manifest: { v: 1, artifact: digest('b'), parts: {} },
    provenance: { kind: 'upload', uploader: bea, authors: [] },
  } as const;
  await ask(one, bea, { kind: 'FreezeCandidate', prototype, candidate: content });
  await ask(one, bea, { kind: 'PublishPolicy', policyId, policy, digest: digest('c'), author: bea });
  expect(await ask(one, bea, { kind: 'OpenPromotion', promotion, prototype, candidate, policyId })).toBe('accepted');
  return promotion;
}

async function gateOf(promotion: `prm_${string}`) {
  const view = await one.reads(workspace).promotion(promotion);
  const gate = view?.state.gates[0];
  if (gate === undefined || gate.evidenceDigest === null) throw new Error('expected an open approval gate');
  return { ...gate, evidenceDigest: gate.evidenceDigest };
}

async function vote(journal: Journal, person: PersonId, promotion: `prm_${string}`): Promise<string> {
  const { attempt, evidenceDigest } = await gateOf(promotion);
  const shown = { artifact: digest('b'), evidenceDigest };
  const decision = idFrom('dec', randomUUID());
  return await ask(journal, person, {
    ...{ kind: 'Decide', promotion, gate: 'approval', attempt, decision, verdict: 'approve' },
    ...shown,
  });
}

describe('what a process remembers of a stream', () => {
  it('is not believed when another process has gone on', async () => {
    const promotion = await opened();
    const [a, b, c, late] = approvers as [PersonId, PersonId, PersonId, PersonId];
    expect(await vote(one, a, promotion)).toBe('accepted');
    expect(await vote(other, b, promotion)).toBe('accepted');
    // The first process remembers one vote, the second both; the row has the last word.
    expect(await vote(one, c, promotion)).toBe('accepted');
    expect(await gateOf(promotion)).toMatchObject({ status: 'passed', decisions: { length: 3 } });
    expect(await vote(other, late, promotion)).toBe('gate_closed');
  });

  it('never keeps a right alive that was taken in another process', async () => {
    const promotion = await opened();
    const [a, b, c] = approvers as [PersonId, PersonId, PersonId];
    expect(await vote(one, a, promotion)).toBe('accepted');
    expect(await vote(one, b, promotion)).toBe('accepted');
    const binding = { role: 'approver', group: 'security' } as const;
    expect(await ask(other, ada, { kind: 'RevokeRole', person: a, binding })).toBe('accepted');
    expect(await vote(one, c, promotion)).toBe('accepted');
    expect((await gateOf(promotion)).status).toBe('waiting');
    expect(await ask(other, ada, { kind: 'GrantRole', person: a, binding })).toBe('accepted');
  });

  it('counts the votes of two processes at once like those of one', async () => {
    const promotion = await opened();
    const answers = await Promise.all(
      approvers.flatMap((person) => [one, other].map((journal) => vote(journal, person, promotion))),
    );
    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(3);
    const gate = await gateOf(promotion);
    expect(gate.status).toBe('passed');
    expect(new Set(gate.decisions.map(({ person }) => person)).size).toBe(3);
  });

  it('is bounded, and what was longest not kept goes first', () => {
    const remembered = rememberStreams();
    const plan = { promotions: [], lanes: [], ownLanes: false, kept: [] };
    const memory: Loaded = { head: { revision: 1, hash: Buffer.alloc(32) }, state: null };
    const knows = (id: string) => remembered.of(workspace, { ...plan, others: [{ kind: 'prototype', id }] }).size === 1;
    for (let index = 0; index < 1_001; index += 1) {
      remembered.keep(workspace, new Map([[`prototype/${index}`, memory]]));
      remembered.keep(workspace, new Map([['prototype/used', memory]]));
    }
    expect([knows('0'), knows('2'), knows('1000'), knows('used')]).toEqual([false, true, true, true]);
    expect(
      remembered.of(idFrom('wsp', randomUUID()), { ...plan, others: [{ kind: 'prototype', id: 'used' }] }).size,
    ).toBe(0);
  });
});
