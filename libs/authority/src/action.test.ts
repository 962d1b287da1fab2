import { type GateState, type Hold, type PersonState, type PromotionState, roles } from '@proviso/domain';
import { commandOf } from './action.ts';
import {
  type PromotionScene,
  actionsAt,
  actionsFor,
  actionsOn,
  authority,
  explainAction,
  offeredKinds,
  promotionRels,
  readingRoles,
  whoCanDo,
} from './index.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const person = (id: string, bindings: PersonState['bindings']): PersonState => ({
  ...{ id: `psn_${id}`, kind: 'human', disabled: false, bindings, tokens: [] },
});
const sam = person('sam', [{ role: 'approver', group: 'security' }]);
const olga = person('olga', [{ role: 'operator' }]);

const gate = (over: Partial<GateState> = {}): GateState => ({
  ...{ name: 'approval', status: 'waiting', attempt: 2, breakages: 0, revision: 1, since: 0, claimant: null },
  ...{ retryAt: null, expiresAt: null, verdict: null, reasons: [], evidence: [], measure: null, decisions: [] },
  ...{ evidenceDigest: digest('e') },
  ...over,
});

const promotionAt = (gates: readonly GateState[], over: object = {}) =>
  ({
    ...{ id: 'prm_1', prototype: 'pro_1', exclusions: [], outcome: null, undo: null, productionAt: null, gates },
    candidate: { manifest: { artifact: digest('a') } },
    lanes: { staging: 'lane_s', production: 'lane_p' },
    policy: {
      ...{ name: 'p', environment: 'production', evidenceAgeMaxMs: 1 },
      gates: [
        { gate: 'scan', attemptsMax: 1 },
        { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 1 },
      ],
    },
    ...over,
  }) as unknown as PromotionState;

/** Its policy lets one group waive and break the glass. */
const lenientAt = (gates: readonly GateState[], over: object = {}) => {
  const { policy } = promotionAt([]);
  const exceptions = { waivers: { from: 'group/leads', daysMax: 1 }, breakGlass: { from: 'group/leads' } };
  const rules = policy.gates.map((rule) => (rule.gate === 'approval' ? { ...rule, ...exceptions } : rule));
  return promotionAt(gates, { policy: { ...policy, gates: rules }, ...over });
};

const sceneOf = (actor: PersonState, promotion: PromotionState | null, over: object = {}) =>
  ({
    ...{ actor, promotion, authority, lentBy: null, token: null, people: {}, now: 0, person: actor },
    ...{ says: true, door: { channel: 'rest', freshAt: null }, lanes: { staging: null, production: { hold: null } } },
    ...over,
  }) as unknown as PromotionScene;
/** Beside the comment, which is taken at any time. */
const relsOn = (promotion: PromotionState, over: object = {}) => {
  const rels = actionsOn(sceneOf(sam, promotion, over)).map(({ rel }) => rel);
  expect(rels.at(-1)).toBe('comment');
  return rels.slice(0, -1);
};
const held = (hold: Hold) => ({ lanes: { staging: null, production: { hold } } });

/** At a canary that goes from 10 % to 50 % and then to everybody. */
const canaryAt = (over: Partial<GateState>, weight = 10) => {
  const policy = {
    ...{ name: 'p', environment: 'production', evidenceAgeMaxMs: 1 },
    gates: [{ gate: 'canary', weights: [10, 50, 100] }],
  };
  return promotionAt([gate({ name: 'canary', status: 'claimed', ...over })], { productionAt: 1, weight, policy });
};
const paused = { kind: 'paused', by: 'psn_olga', at: 1 } as const;

describe('on a promotion is offered', () => {
  const rolledBack: Hold = { reason: 'rolled_back', by: 'psn_olga', at: 1 };
  const failed = gate({ name: 'scan', status: 'failed' });

  it.each<[string, PromotionState, Hold | null, readonly string[]]>([
    ['a vote where people are asked', promotionAt([gate()]), null, ['approve', 'reject', 'defer', 'cancel']],
    ['no vote before there is evidence', promotionAt([gate({ evidenceDigest: null })]), null, ['cancel']],
    ['no vote where nobody is asked', promotionAt([gate({ status: 'pending' })]), null, ['cancel']],
    ['to run a blocked gate again', promotionAt([failed, gate()]), null, ['rerun', 'cancel']],
    [
      'to take it back from users',
      promotionAt([gate({ name: 'canary', status: 'claimed' })], { productionAt: 1, weight: 0 }),
      null,
      ['cancel', 'rollback'],
    ],
    ['to keep a canary at its share, or to hurry it', canaryAt({}), null, ['pause', 'advance', 'cancel', 'rollback']],
    ['to keep it where proof alone goes on', canaryAt({}, 50), null, ['pause', 'cancel', 'rollback']],
    ['to let a paused one go', canaryAt({ pace: paused }), null, ['unpause', 'cancel', 'rollback']],
    ['to keep one whose step broke', canaryAt({ status: 'errored' }, 50), null, ['pause', 'cancel', 'rollback']],
    [
      'to run a canary again that could not tell: nobody is on it',
      canaryAt({ status: 'inconclusive' }, 0),
      null,
      ['rerun', 'cancel'],
    ],
    ['to take back what is live', promotionAt([gate({ status: 'passed' })], { outcome: 'live' }), null, ['rollback']],
    ['nothing once it is being undone', promotionAt([failed], { undo: {}, productionAt: 1 }), null, []],
    ['no hand on a canary that is being undone', { ...canaryAt({}), undo: {} } as PromotionState, null, []],
    ['nothing once it has ended', promotionAt([failed], { outcome: 'rejected' }), null, []],
    ['to let a held lane go on', promotionAt([failed], { outcome: 'rolled_back' }), rolledBack, ['resume']],
  ])('%s', (_what, promotion, hold, rels) => {
    expect(relsOn(promotion, hold === null ? {} : held(hold))).toEqual(rels);
  });

  const asked = { id: 'wvr_1', gate: 'scan', attempt: 2, approvedBy: null };
  const failing = (over: object = {}) => lenientAt([failed, gate({ status: 'pending' })], over);
  const staged = gate({ name: 'staging', status: 'inconclusive' });

  it.each<[string, PromotionState, readonly string[]]>([
    ['to waive what failed', failing(), ['rerun', 'ask_waiver', 'cancel']],
    ['to agree to what was asked', failing({ waivers: [asked] }), ['rerun', 'ask_waiver', 'approve_waiver', 'cancel']],
    [
      'nothing to agree to that was agreed already',
      failing({ waivers: [{ ...asked, approvedBy: 'psn_olga' }] }),
      ['rerun', 'ask_waiver', 'cancel'],
    ],
    [
      'nothing to agree to of an earlier attempt',
      failing({ waivers: [{ ...asked, attempt: 1 }] }),
      ['rerun', 'ask_waiver', 'cancel'],
    ],
    [
      'nothing to agree to of another gate',
      lenientAt([gate({ name: 'scan', status: 'passed' }), staged], { waivers: [asked] }),
      ['rerun', 'ask_waiver', 'cancel'],
    ],
    [
      'nothing to waive where people have said no',
      lenientAt([gate({ status: 'changes_requested' })]),
      ['rerun', 'cancel', 'ask_break_glass'],
    ],
  ])('%s, where the policy lets a group do so', (_what, promotion, rels) => {
    expect(relsOn(promotion)).toEqual(rels);
  });

  const glass = { endedAt: null, brokenAt: null, approvedBy: [], until: 1, askedBy: 'psn_olga', usedAt: null };
  const votes = ['approve', 'reject', 'defer', 'cancel'];

  it.each<[string, PromotionState, readonly string[]]>([
    ['to break it where people are asked', lenientAt([gate()]), [...votes, 'ask_break_glass']],
    [
      'to break it where a freeze keeps the canary waiting',
      lenientAt([gate({ status: 'passed' }), gate({ name: 'canary', status: 'pending' })]),
      ['cancel', 'ask_break_glass'],
    ],
    ['not to break it while machines look', lenientAt([gate({ name: 'scan', status: 'claimed' })]), ['cancel']],
    ['not to break it where every gate is behind', lenientAt([gate({ status: 'passed' })]), ['cancel']],
    ['not to break it once users are on it', lenientAt([gate()], { productionAt: 1 }), votes],
    ['to agree to what was asked', lenientAt([gate()], { glass }), [...votes, 'approve_break_glass']],
    [
      'to ask again for what was broken',
      lenientAt([gate()], { glass: { ...glass, brokenAt: 1 } }),
      [...votes, 'ask_break_glass'],
    ],
    [
      'to ask again for what is over',
      lenientAt([gate()], { glass: { ...glass, endedAt: 1 } }),
      [...votes, 'ask_break_glass'],
    ],
  ])('%s, where the policy has a glass', (_what, promotion, rels) => {
    expect(relsOn(promotion)).toEqual(rels);
  });

  it('a look at its own broken glass, also when it has ended, and no glass where there is no lane', () => {
    const owed = (reviewOwed: string) => ({ lanes: { staging: null, production: { hold: null, reviewOwed } } });
    const ended = lenientAt([failed], { outcome: 'rejected' });
    expect([relsOn(ended, owed('prm_1')), relsOn(ended, owed('prm_2'))]).toEqual([['review_break_glass'], []]);
    expect(relsOn(lenientAt([gate()]), { lanes: { staging: null, production: null } })).toEqual(votes);
  });

  it('an exception by the group that the policy names for it, and to nobody about their own work', () => {
    const approveIn = (actor: PersonState, over: object) =>
      actionsOn(sceneOf(actor, failing({ waivers: [{ ...asked, until: 9, askedBy: 'psn_olga' }], ...over }))).find(
        ({ rel }) => rel === 'approve_waiver',
      );
    const lea = person('lea', [{ role: 'approver', group: 'leads' }]);
    expect(approveIn(sam, {})).toMatchObject({ allowed: false, code: 'not_permitted', whoCan: ['group/leads'] });
    expect(approveIn(lea, { exclusions: [{ person: 'psn_lea', why: 'author' }] })).toMatchObject({ code: 'own_work' });
  });

  it('with the reason why not, and who can', () => {
    const [approve] = actionsOn(sceneOf(olga, promotionAt([gate()])));
    expect(approve).toEqual({
      ...{ rel: 'approve', allowed: false, code: 'not_permitted', whoCan: ['group/security'] },
      reason: 'expected somebody who may vote at this gate',
    });
    const lent = sceneOf(sam, promotionAt([gate()]), { lentBy: 'psn_ada' });
    expect(actionsOn(lent)[0]).toMatchObject({ allowed: false, code: 'step_up_required' });
    const narrow = sceneOf(sam, promotionAt([gate()]), { token: { scopes: ['read'] } });
    expect(actionsOn(narrow)[0]).toMatchObject({ allowed: false, code: 'scope_missing' });
    expect(actionsOn(sceneOf(sam, promotionAt([gate()])))[0]).toEqual({
      ...{ rel: 'approve', allowed: true, code: null, reason: null, whoCan: ['group/security'] },
    });
  });

  it('a comment to whoever reads it, also about their own work, until there is no room for more', () => {
    const commentIn = (actor: PersonState, promotion: PromotionState) =>
      actionsOn(sceneOf(actor, promotion)).find(({ rel }) => rel === 'comment');
    const ended = promotionAt([failed], { outcome: 'rejected', exclusions: [{ person: 'psn_sam', why: 'author' }] });
    const [reading, others] = [readingRoles, roles.filter((role) => !readingRoles.includes(role))];
    expect(reading).toHaveLength(6);
    for (const role of reading) expect(commentIn(person('sam', [{ role }]), ended)).toMatchObject({ allowed: true });
    for (const role of others)
      expect(commentIn(person('sam', [{ role }]), ended)).toMatchObject({
        ...{ allowed: false, code: 'not_permitted', whoCan: reading.map((one) => `role/${one}`) },
      });
    const elsewhere = person('sam', [{ role: 'builder', prototype: 'pro_9' }]);
    expect(commentIn(elsewhere, ended)).toMatchObject({ allowed: false, code: 'not_permitted' });
    expect(commentIn(sam, promotionAt([gate()], { comments: 199 }))).toMatchObject({ allowed: true });
    expect(commentIn(sam, promotionAt([gate()], { comments: 200 }))).toMatchObject({ code: 'too_many' });
  });

  it('a vote once an attempt, voided ones not counted', () => {
    const voted = (voided: 'role_lost' | null) =>
      promotionAt([gate({ decisions: [{ person: 'psn_sam', voided }] as unknown as GateState['decisions'] })]);
    expect(actionsOn(sceneOf(sam, voted(null)))[0]).toMatchObject({
      ...{ code: 'already_decided', reason: 'you have decided on this attempt already' },
    });
    expect(actionsOn(sceneOf(sam, voted('role_lost')))[0]).toMatchObject({ allowed: true });
    expect(actionsOn(sceneOf(olga, voted(null))).find(({ rel }) => rel === 'cancel')).toMatchObject({ allowed: true });
  });
});

describe('at a gate is offered', () => {
  it('what is about it, while the promotion stands there', () => {
    const at = (name: 'approval' | 'scan', promotion: PromotionState) =>
      actionsAt(name, sceneOf(sam, promotion)).map(({ rel }) => rel);
    const waiting = promotionAt([gate({ name: 'scan', status: 'passed' }), gate()]);
    expect([at('approval', waiting), at('scan', waiting)]).toEqual([['approve', 'reject', 'defer'], []]);
    const blocked = promotionAt([gate({ name: 'scan', status: 'failed' }), gate({ status: 'pending' })]);
    expect([at('approval', blocked), at('scan', blocked)]).toEqual([[], ['rerun']]);
    const passed = promotionAt([gate({ status: 'passed' })]);
    expect(actionsAt('approval', sceneOf(sam, passed))).toEqual([]);
  });
});

describe('the command behind an action', () => {
  const promotion = promotionAt([gate({ name: 'scan', status: 'failed', evidenceDigest: null }), gate()]);

  it('is the one that will be asked for', () => {
    const vote = { kind: 'Decide', promotion: 'prm_1', gate: 'approval', attempt: 2, decision: 'dec_0' };
    const shown = { artifact: digest('a'), evidenceDigest: digest('e') };
    expect(promotionRels.map((rel) => commandOf(rel, sceneOf(sam, promotion)))).toEqual([
      { ...vote, ...shown, verdict: 'approve' },
      { ...vote, ...shown, verdict: 'reject' },
      { kind: 'Defer', promotion: 'prm_1', gate: 'approval', attempt: 2, until: 0 },
      { kind: 'Rerun', promotion: 'prm_1', gate: 'scan' },
      {
        ...{ kind: 'AskWaiver', promotion: 'prm_1', waiver: 'wvr_0', gate: 'scan', attempt: 2, finding: null },
        ...{ owner: 'psn_sam', until: 1 },
      },
      { kind: 'ApproveWaiver', promotion: 'prm_1', waiver: 'wvr_0' },
      { kind: 'Pause', promotion: 'prm_1' },
      { kind: 'Unpause', promotion: 'prm_1' },
      { kind: 'Advance', promotion: 'prm_1' },
      { kind: 'Cancel', promotion: 'prm_1' },
      { kind: 'Rollback', promotion: 'prm_1' },
      { kind: 'ResumeLane', lane: 'lane_p' },
      { kind: 'AskBreakGlass', promotion: 'prm_1', minutes: 60 },
      { kind: 'ApproveBreakGlass', promotion: 'prm_1', artifact: digest('a') },
      { kind: 'ReviewBreakGlass', promotion: 'prm_1' },
      { kind: 'Comment', promotion: 'prm_1' },
    ]);
  });

  it('is bound to no evidence where there is none yet', () => {
    const early = promotionAt([gate({ attempt: 0, evidenceDigest: null })]);
    expect(commandOf('approve', sceneOf(sam, early))).toMatchObject({ attempt: 0, evidenceDigest: digest('a') });
    expect(commandOf('approve', sceneOf(sam, promotionAt([])))).toMatchObject({
      attempt: 0,
      evidenceDigest: digest('a'),
    });
    expect(commandOf('rerun', sceneOf(sam, promotionAt([])))).toMatchObject({ gate: 'readiness' });
    expect(commandOf('defer', sceneOf(sam, promotionAt([]), { now: 7 }))).toMatchObject({ attempt: 0, until: 7 });
  });
});

describe('explained for a promotion', () => {
  it('ends with a yes of its state, where nothing is in the way', () => {
    expect(explainAction(sceneOf(sam, promotionAt([gate()])), 'approve')?.at(-1)).toEqual({
      ...{ rule: 'state', answer: 'yes', words: 'nothing is in the way now', refusal: null },
    });
  });

  it('is nothing where there is none', () => {
    expect(explainAction(sceneOf(sam, null), 'approve')).toBeNull();
  });

  it('a no of rights ends it, and its state is not asked', () => {
    const asked = explainAction(sceneOf(olga, promotionAt([gate()])), 'approve');
    expect(asked?.map(({ rule, answer }) => [rule, answer])).toEqual([
      ['enabled', 'yes'],
      ['ability/Decide', 'yes'],
      ['requirement', 'no'],
    ]);
  });

  it('the state has the last word, under its own name', () => {
    const ended = promotionAt([gate()], { outcome: 'rejected' });
    expect(explainAction(sceneOf(sam, ended), 'approve')?.at(-1)).toMatchObject({
      ...{ rule: 'state/promotion_ended', answer: 'no', words: 'this promotion has ended: rejected' },
    });
  });

  it('who could do it is told by group and role', () => {
    expect(whoCanDo('approve', sceneOf(sam, promotionAt([gate()])))).toEqual(['group/security']);
    expect(whoCanDo('resume', sceneOf(sam, promotionAt([gate()])))).toEqual(['role/operator']);
  });
});

describe('on other things is offered', () => {
  it('what people do, of every noun, and nothing that machines do', () => {
    expect([...offeredKinds()]).toEqual(
      expect.arrayContaining([
        'AddPerson',
        'RotateSecret',
        'HoldLane',
        'Rerun',
        'Advance',
        'Decide',
        'ReviewBreakGlass',
      ]),
    );
    for (const kind of ['Claim', 'Report', 'Tick', 'OpenWorkspace'] as const)
      expect([kind, offeredKinds().has(kind)]).toEqual([kind, false]);
  });

  it('what roles may do there, narrowed as bindings are', () => {
    const local = person('local', [{ role: 'operator', prototype: 'pro_1', environment: 'production' }]);
    const allowedAt = (where: object) =>
      actionsFor({ actor: local }, 'lane', where).map(({ rel, allowed }) => [rel, allowed]);
    expect(allowedAt({ prototype: 'pro_1', environment: 'production' })).toEqual([
      ['hold', true],
      ['resume', true],
      ['retire', true],
    ]);
    expect(actionsFor({ actor: local }, 'lane').map(({ whoCan }) => whoCan)).toEqual([
      ...[['role/operator'], ['role/operator'], ['role/operator']],
    ]);
    expect(allowedAt({ prototype: 'pro_2', environment: 'production' })).toEqual([
      ['hold', false],
      ['resume', false],
      ['retire', false],
    ]);
  });

  it('what is one’s own affair, to oneself alone and not with a token of somebody else', () => {
    const nil = person('nil', []);
    const own = (viewer: Parameters<typeof actionsFor>[0], about: `psn_${string}`) =>
      actionsFor(viewer, 'person', { person: about }).flatMap(({ rel, allowed }) => (allowed ? [rel] : []));
    const always = ['revoke_token', 'issue_own_token', 'unlink_identity', 'end_sessions', 'read_personal'];
    expect(own({ actor: nil }, 'psn_nil')).toEqual(always);
    expect(own({ actor: nil, door: { channel: 'page' } }, 'psn_nil').toSorted()).toEqual(
      [...always, 'issue_token', 'link_identity'].toSorted(),
    );
    expect(own({ actor: nil, lentBy: 'psn_ada' }, 'psn_nil')).toEqual([]);
    expect(own({ actor: nil }, 'psn_olga')).toEqual([]);
    expect(own({ actor: { ...nil, kind: 'service' } }, 'psn_nil')).toEqual(always);
  });
});
