import { brokenRules } from './cdevent-rules.contract.ts';
import { cloudEventOf, eventTypes, typesOf, unknownType } from './cloud-event.ts';
import type { ToldAbout, ToldEntry } from './told-entry.ts';

const entry = (kind: string, body: object = {}): ToldEntry => ({
  ...{ stream: 'promotion', streamId: 'prm_1', sseq: 7, kind, at: '2026-01-02T03:04:05.000Z', hash: 'ab'.repeat(32) },
  body: { ...body },
});
const about: ToldAbout = {
  promotion: 'prm_1',
  prototype: { id: 'pro_1', name: 'help-desk' },
  candidate: { id: 'cnd_1', version: 'v1+2' },
  artifact: `sha256:${'a'.repeat(64)}`,
  environment: 'production',
};
const told = (of: ToldEntry, type: string) => cloudEventOf(of, { type, workspace: 'wsp_1', about });

describe('an entry is told', () => {
  it('as a CloudEvent of our own type, with what it is about and of its body only what may be known', () => {
    const reported = entry('gate_reported', {
      ...{ v: 1, gate: 'scan', attempt: 2, verdict: 'fail', evidence: [{ kind: 'report', digest: 'sha256:x' }] },
      reasons: [{ code: 'secret_found', message: 'a key in src/mail.ts', file: 'src/mail.ts' }],
    });
    expect(told(reported, 'dev.proviso.gate.reported')).toEqual({
      specversion: '1.0',
      id: `evt_${'ab'.repeat(16)}`,
      source: 'urn:proviso:wsp_1',
      type: 'dev.proviso.gate.reported',
      subject: 'prm_1',
      time: '2026-01-02T03:04:05.000Z',
      datacontenttype: 'application/json',
      data: {
        ...{ stream: 'promotion', streamId: 'prm_1', sequence: 7, kind: 'gate_reported', ...about },
        ...{ gate: 'scan', attempt: 2, verdict: 'fail' },
      },
    });
  });

  it('without who decided, and without a word that somebody wrote', () => {
    const decision = { id: 'dec_1', person: 'psn_sam', verdict: 'approve', at: 1, artifact: 'sha256:a' };
    const decided = told(
      entry('decision_recorded', { gate: 'approval', attempt: 1, decision }),
      'dev.proviso.decision.recorded',
    );
    expect(decided.data).toMatchObject({ gate: 'approval', attempt: 1, verdict: 'approve' });
    expect(JSON.stringify(decided)).not.toContain('psn_');
    const frozen = entry('freeze_met', { gate: 'canary', until: 5, why: 'Nobody is here over Christmas' });
    expect(JSON.stringify(told(frozen, 'dev.proviso.freeze.met'))).not.toContain('Christmas');
    const commented = told(entry('commented', { by: 'psn_sam' }), 'dev.proviso.commented');
    expect(commented.data).toMatchObject({ kind: 'commented', promotion: 'prm_1' });
    expect(JSON.stringify(commented)).not.toContain('psn_');
  });

  it('to nobody when it is of people, of a refusal, or of a kind that nobody thought of', () => {
    for (const kind of [
      'person_added',
      'token_issued',
      'refusal_recorded',
      'step_claimed',
      'webhook_added',
      'constructor',
    ])
      expect([kind, typesOf(entry(kind), ['dev.*'])]).toEqual([kind, []]);
  });
});

describe('a webhook is told of what it chose', () => {
  it.each([
    [['dev.proviso.gate.reported'], ['dev.proviso.gate.reported']],
    [['dev.proviso.gate.*'], ['dev.proviso.gate.reported']],
    [['dev.cdevents.*'], ['dev.cdevents.testsuiterun.finished.0.3.0']],
    [['dev.*'], ['dev.proviso.gate.reported', 'dev.cdevents.testsuiterun.finished.0.3.0']],
    [['dev.proviso.gate'], []],
    [['dev.proviso.promotion.*'], []],
  ])('%j', (wanted, types) => {
    expect(typesOf(entry('gate_reported', { gate: 'scan', attempt: 1, verdict: 'pass' }), wanted)).toEqual(types);
  });

  it('and a type that no event has is found out', () => {
    expect(unknownType(eventTypes)).toBeNull();
    expect(unknownType(['dev.proviso.gate.*', 'dev.cdevents.*'])).toBeNull();
    for (const typo of ['dev.proviso.promotion.endd', 'dev.proviso.gates.*', 'dev.proviso', '*', ''])
      expect(unknownType([typo])).toBe(typo);
  });
});

/** Every entry that something of CDEvents fits. */
const fitting = [
  entry('promotion_ended', { outcome: 'live' }),
  entry('promotion_ended', { outcome: 'rolled_back' }),
  entry('promotion_ended', { outcome: 'demoted' }),
  { ...entry('release_retired'), stream: 'lane', streamId: 'lane_1' } as const,
  entry('canary_condemned', { snapshot: 'sha256:s', reasons: [] }),
  entry('watch_reported', {
    check: 'scan',
    round: 3,
    standing: 'breached',
    figure: null,
    action: 'demote',
    reasons: [],
  }),
  ...['pass', 'fail', 'inconclusive', 'waived'].map((verdict) =>
    entry('gate_reported', { gate: 'scan', attempt: 1, verdict }),
  ),
  entry('artifact_built', { attempt: 1, artifact: `sha256:${'b'.repeat(64)}` }),
];
/** As they are sent. */
const sent = fitting.flatMap((one) => typesOf(one, ['dev.cdevents.*']).map((type) => told(one, type)));

describe('where a type of CDEvents fits', () => {
  it('a breach is one incident: a look that nothing came of is none', () => {
    const looked = { check: 'scan', round: 4, standing: 'breached', figure: null, action: null };
    expect(typesOf(entry('watch_reported', looked), ['dev.cdevents.*'])).toEqual([]);
  });

  it('every one of its types has an entry that is told as it', () => {
    expect(new Set(sent.map(({ type }) => type))).toEqual(
      new Set(eventTypes.filter((type) => type.includes('cdevents'))),
    );
  });

  it('the event keeps its published schema, and its binding to CloudEvents', () => {
    for (const event of sent) {
      expect([event.type, brokenRules(event.data)]).toEqual([event.type, []]);
      const { context, subject } = event.data as Record<string, Record<string, unknown>>;
      expect(context).toMatchObject({ id: event.id, source: event.source, type: event.type, timestamp: event.time });
      expect(subject?.['id']).toBe(event.subject);
    }
  });

  it('and the rules are rules: each broken one is seen', () => {
    const [deployed] = sent;
    const broken = (change: (data: Record<string, Record<string, unknown>>) => void) => {
      const data = structuredClone(deployed?.data) as Record<string, Record<string, unknown>>;
      change(data);
      return brokenRules(data);
    };
    expect(broken(({ context }) => delete context?.['timestamp'])).toContain(
      "/context must have required property 'timestamp'",
    );
    expect(broken(({ context }) => void Object.assign(context ?? {}, { timestamp: 'now' }))).toHaveLength(1);
    expect(broken(({ context }) => void Object.assign(context ?? {}, { tag: 'x' }))).toEqual([
      '/context must NOT have additional properties tag',
    ]);
    expect(broken(({ subject }) => delete subject?.['id'])).toContain("/subject must have required property 'id'");
    expect(broken(({ subject }) => void Object.assign(subject ?? {}, { content: {} }))).toContain(
      "/subject/content must have required property 'artifactId'",
    );
    expect(broken((data) => void Object.assign(data, { proviso: {} }))).toEqual([
      'must NOT have additional properties proviso',
    ]);
    expect(broken(({ context }) => void Object.assign(context ?? {}, { type: 'dev.cdevents.x' }))).toHaveLength(1);
  });

  it('an entry keeps one id under each of its types, and two types have two', () => {
    const [ended = entry('')] = fitting;
    const ids = typesOf(ended, ['dev.*']).map((type) => told(ended, type).id);
    expect(new Set(ids).size).toBe(2);
    expect(typesOf(ended, ['dev.*']).map((type) => told(ended, type).id)).toEqual(ids);
  });
});
