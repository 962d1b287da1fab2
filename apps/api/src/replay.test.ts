import { randomUUID } from 'node:crypto';
import { type PersonId, type PromotionId, builtinPrincipals, idFrom } from '@proviso/domain';
import { type Deployment, openDeployment, pick, registered } from './deployment.contract.ts';

/** As many as the issue names. */
const promotions = 500;
/** The same histories every time, so that a failure can be looked at. */
const seed = 20_261_121;

const source = (approval: string, bar = 0.8) => `policy: replayed
gates:
  - gate: readiness
  - gate: evaluation
    bar: ${bar}
  - gate: approval
    requirements:
${approval}
  - gate: canary
    weights: [50]
`;
const opened = source('      - {from: group/security, count: 1}');
const drafts = [
  ['asks for one more', source('      - {from: group/security, count: 2}')],
  ['asks for a higher bar', source('      - {from: group/security, count: 1}', 0.9)],
  [
    'asks two of three',
    source(
      '      - atLeast: 2\n        of: [{from: group/security, count: 1}, {from: role/operator, count: 1}, {from: group/security, count: 2}]',
    ),
  ],
  ['asks for what was never run', opened.replace('  - gate: evaluation', '  - gate: scan\n  - gate: evaluation')],
  ['asks for nothing else', opened],
] as const;

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
  const published = await here.post('petra', '/v1/policies', { source: opened });
  const { prototype, candidate } = await registered(here, 'replayed');
  await tell(pick(published.body, 'id') as `pol_${string}`, { prototype, candidate } as Subject);
}, 300_000);

afterAll(async () => {
  await here.close();
});

interface Subject {
  readonly prototype: `pro_${string}`;
  readonly candidate: `cnd_${string}`;
}

type Command = Parameters<Deployment['parts']['journal']['submit']>[0]['command'];

async function say(actor: PersonId, command: Command) {
  const { workspace, parts } = here;
  const receipt = await parts.journal.submit({
    ...{ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'test' },
  });
  if (receipt.kind === 'refused') throw new Error(`${command.kind}: ${receipt.refusal.code}`);
  return receipt.answer;
}

/** Numbers from 0 to 1 that look drawn (mulberry32); the same for the same seed. */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Promotions that end everywhere: unready, below the bar, rejected, waiting, with one vote or two. */
async function tell(policyId: `pol_${string}`, { prototype, candidate }: Subject): Promise<void> {
  const draw = numbers(seed);
  for (let index = 0; index < promotions; index += 1) {
    const promotion = idFrom('prm', randomUUID());
    await say(here.people.bea, { kind: 'OpenPromotion', promotion, prototype, candidate, policyId });
    if (!(await judged(promotion, 'readiness', draw() < 0.95, 1))) continue;
    const lower = Math.round(60 + draw() * 40) / 100;
    if (!(await judged(promotion, 'evaluation', lower >= 0.8, lower))) continue;
    if (draw() < 0.15) continue;
    const first = draw() < 0.5 ? here.people.sam : here.people.kim;
    await vote(promotion, first, draw() < 0.15 ? 'reject' : 'approve');
  }
}

async function judged(promotion: PromotionId, gate: 'readiness' | 'evaluation', passes: boolean, lower: number) {
  const { worker } = builtinPrincipals;
  const claim = await say(worker.id, { kind: 'Claim', promotion, step: gate, claimant: 'test' });
  if (claim.kind !== 'granted') throw new Error(`expected a grant, got ${claim.kind}`);
  const { attempt, fence } = claim;
  const measure = gate === 'readiness' ? null : { n: 100, k: 100, lower, upper: 1, method: 'given' };
  const verdict = passes ? 'pass' : 'fail';
  const evidence = [{ kind: gate, digest: `sha256:${'e'.repeat(64)}` }] as const;
  await say(worker.id, { kind: 'Report', promotion, gate, attempt, fence, verdict, reasons: [], evidence, measure });
  return passes;
}

async function vote(promotion: PromotionId, person: PersonId, verdict: 'approve' | 'reject') {
  const view = await here.parts.journal.reads(here.workspace).promotion(promotion);
  const gate = view?.state.gates.find(({ name }) => name === 'approval');
  if (view == null || gate?.evidenceDigest == null) throw new Error('expected a gate that waits');
  const shown = { artifact: view.state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  const decision = idFrom('dec', randomUUID());
  const about = { promotion, gate: 'approval', attempt: gate.attempt, decision } as const;
  await say(person, { kind: 'Decide', ...about, verdict, ...shown });
}

interface Told {
  readonly kind: string;
  readonly body: {
    readonly gate?: string;
    readonly verdict?: string;
    readonly measure?: { readonly lower: number } | null;
    readonly exclusions?: readonly { readonly person: string }[];
    readonly decision?: {
      readonly person: string;
      readonly verdict: string;
      readonly bindingsAt: readonly { readonly role: string; readonly group?: string }[];
    };
  };
}

type Asked = { from: string; count: number } | { atLeast: number; of: { from: string; count: number }[] };

/** The gate at which the bare entries of a promotion would stop under these gates: read apart, every assignment tried. */
function stopOf(entries: readonly Told[], gates: readonly { gate: string; bar?: number; requirements?: Asked[] }[]) {
  const bodyOf = (kind: string, gate: string) =>
    entries.findLast((one) => one.kind === kind && one.body.gate === gate)?.body;
  const excluded = entries[0]?.body.exclusions?.map(({ person }) => person) ?? [];
  const votes = entries.flatMap(({ body }) => (body.decision === undefined ? [] : [body.decision]));
  for (const { gate, bar = 0, requirements = [] } of gates) {
    if (gate === 'canary') return null;
    const report = bodyOf('gate_reported', gate);
    if (gate === 'approval') {
      const approvals = votes.filter(({ person, verdict }) => verdict === 'approve' && !excluded.includes(person));
      const may = approvals.map(({ bindingsAt }) =>
        bindingsAt.flatMap(({ role, group }) => [`role/${role}`, `group/${group ?? ''}`]),
      );
      if (approvals.length < votes.length || !met(requirements, may)) return gate;
    } else if (report === undefined) return gate;
    else if (report.measure == null ? report.verdict !== 'pass' : report.measure.lower < bar) return gate;
  }
  return null;
}

/** Every way to give each voter one place or none. */
function met(asked: readonly Asked[], voters: readonly (readonly string[])[]): boolean {
  const places = asked.flatMap((one) => ('from' in one ? [one] : one.of));
  const filled = places.map(() => 0);
  const holds = () => {
    let at = 0;
    const full = () => (filled[at] ?? 0) >= (places[at++]?.count ?? 0);
    return asked
      .map((one) => ('from' in one ? full() : one.of.map(full).filter(Boolean).length >= one.atLeast))
      .every(Boolean);
  };
  const assign = (index: number): boolean => {
    if (index === voters.length) return holds();
    return (
      assign(index + 1) ||
      places.some(({ from }, place) => {
        if (voters[index]?.includes(from) !== true) return false;
        filled[place] = (filled[place] ?? 0) + 1;
        const found = assign(index + 1);
        filled[place] = (filled[place] ?? 0) - 1;
        return found;
      })
    );
  };
  return assign(0);
}

describe('a replay of past promotions under a draft', () => {
  it('lists exactly what deciding the bare entries again by trying everything would change, within five seconds', async () => {
    const { parse } = await import('yaml');
    const reads = here.parts.journal.reads(here.workspace);
    const listed = new Map<string, readonly Told[]>();
    for (let after: string | undefined; ; ) {
      const page = await reads.promotions({ limit: 100, ...(after !== undefined && { after }) });
      for (const { state } of page.items) {
        const entries = await reads.history({ stream: 'promotion', id: state.id, limit: 100 });
        listed.set(
          state.id,
          entries.map(({ bytes }) => JSON.parse(bytes) as Told),
        );
      }
      if (page.next === null) break;
      after = page.next;
    }
    expect(listed.size).toBe(promotions);
    const gatesOf = (text: string) => (parse(text) as { gates: Parameters<typeof stopOf>[1] }).gates;
    const changes: Record<string, number> = {};
    for (const [what, draft] of drafts) {
      const began = performance.now();
      const answer = await here.post('aud', '/v1/policies/replay', { source: draft });
      expect([what, performance.now() - began < 5_000]).toEqual([what, true]);
      expect(answer.body).toMatchObject({ looked: promotions, whole: true });
      const told = answer.body['changed'] as { promotion: string; before: End; after: End }[];
      const expected = [...listed].flatMap(([promotion, entries]) => {
        const [before, after] = [stopOf(entries, gatesOf(opened)), stopOf(entries, gatesOf(draft))];
        return before === after ? [] : [{ promotion, before, after }];
      });
      const got = told.map(({ promotion, before, after }) => ({ promotion, before: before.gate, after: after.gate }));
      expect(new Set(got.map((one) => JSON.stringify(one)))).toEqual(
        new Set(expected.map((one) => JSON.stringify(one))),
      );
      changes[what] = got.length;
    }
    // What changes nothing, or everything, would compare nothing.
    expect(changes).toMatchObject({ 'asks for nothing else': 0 });
    for (const [what] of drafts.slice(0, 4)) expect([what, (changes[what] ?? 0) > 30]).toEqual([what, true]);
  }, 120_000);

  it('looks no further back than it is asked to', async () => {
    const since = new Date(Date.now() + 86_400_000).toISOString();
    const answer = await here.post('aud', '/v1/policies/replay', { source: opened, since });
    expect(answer.body).toMatchObject({ looked: 0, whole: true, changed: [] });
  });
});

interface End {
  readonly gate: string | null;
}
