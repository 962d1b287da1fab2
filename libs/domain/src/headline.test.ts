import { at, policy, state } from './headline.contract.ts';
import { headline, type HeadlineFacts, promotionStates } from './headline.ts';
import type { CanarySight } from './headline-canary.ts';
import type { PromotionState } from './promotion.ts';

/** A Wednesday, 25 November 2026. */
const now = Date.UTC(2026, 10, 25, 12, 0);
const minute = 60_000;

const facts: HeadlineFacts = {
  ...{ now, timeZone: 'UTC', tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null },
  pastWaitsMs: [],
};
const seen: CanarySight = {
  ...{ at: now - 5_000, weight: 25, units: 412, finding: 'healthy', countedAt: now - 5_000, weightSince: at(11, 54) },
  // Proven: nothing is said of how much longer.
  ...{ needed: 0, perMinute: null },
};
/** A canary that began half an hour ago; after an hour a person is asked. */
const begun = { status: 'claimed' as const, since: at(11, 30) };
const overCap = { code: 'watch_breached', message: 'a day costs 31' };
const leak = { code: 'secret', message: 'a key is in the code: remove it and push', file: 'src/mail.ts', line: 14 };

/** The same with requirements that are joined. */
const joined = {
  ...policy,
  gates: policy.gates.map((rule) =>
    rule.gate === 'approval'
      ? {
          ...rule,
          requirements: [
            { from: 'group/security', count: 1 },
            {
              any: [
                { from: 'group/legal', count: 1 },
                { from: 'group/product', count: 2 },
              ],
            },
          ],
        }
      : rule,
  ),
};

type Row = [PromotionState, Partial<HeadlineFacts>, string, string];

const rows: Record<string, Row> = {
  'a gate that runs': [
    state({}, 'scan', { status: 'claimed', since: at(11, 7) }),
    {},
    'running',
    'Checking: scan, since 11:07.',
  ],
  'a gate that nobody took up yet, since the one before it passed': [
    state({}, 'scan'),
    {},
    'running',
    'Checking: scan, since 10:02.',
  ],
  'a blocked scan': [
    state({}, 'scan', { status: 'failed', reasons: [leak] }),
    {},
    'blocked',
    'Blocked by the scan: a key is in the code: remove it and push (src/mail.ts:14).',
  ],
  'several failures of which the first names its file itself': [
    state({}, 'scan', { status: 'failed', reasons: [{ ...leak, message: 'src/mail.ts, line 14, holds a key' }, leak] }),
    {},
    'blocked',
    'Blocked by the scan: src/mail.ts, line 14, holds a key (and 1 more finding).',
  ],
  'a scan that could not tell': [
    state({}, 'scan', { status: 'inconclusive', reasons: [] }),
    {},
    'inconclusive',
    'The scan could not tell, so it does not count as a pass: no reason was given. Run it again when the cause is mended.',
  ],
  'a breakage': [
    state({}, 'scan', { status: 'errored', breakages: 1 }),
    {},
    'running',
    'The scan broke and is tried again (1 so far).',
  ],
  'people who are asked': [
    state({}, 'approval', { status: 'waiting', since: at(10, 2), expiresAt: Date.UTC(2026, 10, 27, 14) }),
    { tally: { met: false, have: [0, 1], assigned: {}, missing: [] } },
    'waiting_for_human',
    'Waiting for Security (0 of 1) and Operator (1 of 1) since 10:02. Expires Fri 14:00.',
  ],
  'people of whom some are enough': [
    state({ policy: joined }, 'approval', { status: 'waiting', since: at(10, 2) }),
    { tally: { met: false, have: [1, 0, 1], assigned: {}, missing: [] } },
    'waiting_for_human',
    'Waiting for Security (1 of 1) and (Legal (0 of 1) or Product (1 of 2)) since 10:02.',
  ],
  'people who have been asked often enough to know how long they take': [
    state({}, 'approval', { status: 'waiting', since: at(10, 2), expiresAt: Date.UTC(2026, 10, 27, 14) }),
    { pastWaitsMs: [1, 2, 3, 4, 9].map((hours) => hours * 60 * minute) },
    'waiting_for_human',
    'Waiting for Security (0 of 1) and Operator (0 of 1) since 10:02. Usually 3 h. Expires Fri 14:00.',
  ],
  'people who have been asked four times before': [
    state({}, 'approval', { status: 'waiting', since: at(10, 2), expiresAt: Date.UTC(2026, 11, 24, 14) }),
    { pastWaitsMs: [1, 2, 3, 4] },
    'waiting_for_human',
    'Waiting for Security (0 of 1) and Operator (0 of 1) since 10:02. Expires 24 Dec 14:00.',
  ],
  'an approver who wants something else': [
    state({}, 'approval', { status: 'changes_requested', since: at(11, 30) }),
    {},
    'blocked',
    'An approver asked for changes at 11:30: upload a new version.',
  ],
  'a canary whose dwell is known': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: seen },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412). Next step in 4 min.',
  ],
  'a canary about to take a step': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, weightSince: now - 9.5 * minute } },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412). Next step within a minute.',
  ],
  'a canary whose dwell is over': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, weightSince: at(11) } },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412).',
  ],
  'a canary before the share that needs proof': [
    state({ weight: 50 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, weight: 50 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412).',
  ],
  'a canary whose newest look was taken under the share before': [
    state({ weight: 50 }, 'canary', { status: 'claimed' }),
    { canary: seen },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412).',
  ],
  'a canary of which nothing was counted yet': [
    state({ weight: 10 }, 'canary', { status: 'claimed' }),
    {},
    'canary',
    'Live for 10 % of users, nothing counted yet.',
  ],
  'a canary that looks worse': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, finding: 'suspicious' } },
    'canary',
    'Live for 25 % of users, with signs that it is worse (n = 412): step is held until it is clear.',
  ],
  'a canary to which nobody comes': [
    state({ weight: 25 }, 'canary', begun),
    { canary: { ...seen, finding: 'quiet' } },
    'canary',
    'Nobody comes to it at the moment: not counted as healthy, step is held. If that stays so, a person is asked at 12:30.',
  ],
  'a canary of which it is known how much longer it takes': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: 37, perMinute: 2 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It needs about 37 more visitors to be proven: at the present 2 a minute that is at about 12:18.',
  ],
  'a canary that will not be proven in time': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: 280, perMinute: 2 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It needs about 280 more visitors to be proven: at the present 2 a minute that is at about 14:19 (after the deadline at 12:30: a person will be asked).',
  ],
  'a canary that needs one more visitor, who comes soon': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: 1, perMinute: 60 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It needs 1 more visitor to be proven: at the present 60 a minute that is within a minute.',
  ],
  'a canary of whose visitors nobody knows how fast they come': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: 280 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It needs about 280 more visitors to be proven; if it is not by 12:30, a person is asked.',
  ],
  'a canary that such visitors prove in a thousand years': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: 1e9, perMinute: 1 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It needs about 1000000000 more visitors to be proven; if it is not by 12:30, a person is asked.',
  ],
  'a canary whose visitors prove nothing so far': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, needed: null, perMinute: 2 } },
    'canary',
    'Live for 50 % of users, healthy so far (n = 412). It cannot be told yet how many more visitors prove it: a person is asked at 12:30.',
  ],
  'a canary to which few come, and nobody just now': [
    state({ weight: 50 }, 'canary', begun),
    { canary: { ...seen, weight: 50, finding: 'quiet', needed: 10, perMinute: 0.2 } },
    'canary',
    'Nobody comes to it at the moment: not counted as healthy, step is held. It needs about 10 more visitors to be proven: at the present 12 an hour that is at about 12:49 (after the deadline at 12:30: a person will be asked).',
  ],
  'a canary that a person has paused': [
    state({ weight: 25 }, 'canary', { ...begun, pace: { kind: 'paused', by: 'psn_1', at: at(11, 58) } }),
    { canary: seen },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412). Paused since 11:58 by a person.',
  ],
  'a canary that a person hurries on': [
    state({ weight: 25 }, 'canary', { ...begun, pace: { kind: 'hastened', weight: 25, by: 'psn_1', at: at(11, 58) } }),
    { canary: seen },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412). Advanced at 11:58 by a person: next step as soon as nothing speaks against it.',
  ],
  'a canary that a person hurried to this share': [
    state({ weight: 25 }, 'canary', { ...begun, pace: { kind: 'hastened', weight: 10, by: 'psn_1', at: at(11, 58) } }),
    { canary: seen },
    'canary',
    'Live for 25 % of users, healthy so far (n = 412). Next step in 4 min.',
  ],
  'a canary that could not be told in time': [
    state({}, 'canary', {
      status: 'inconclusive',
      reasons: [{ code: 'canary_undecided', message: 'the time is over' }],
    }),
    { liveVersion: 'v13' },
    'inconclusive',
    'The canary could not tell, so it does not count as a pass: the time is over. Users are on v13. A person decides: run it again, and it goes on with what it has seen, or stop it.',
  ],
  'a canary whose values do not come': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, finding: 'missing', countedAt: at(10, 5), gaps: ['latency: prometheus/main is away'] } },
    'canary',
    'Metrics are missing since 10:05 (latency: prometheus/main is away): not counted as healthy, step is held.',
  ],
  'a canary at whose judge nobody looks any more': [
    state({ weight: 25 }, 'canary', { status: 'claimed' }),
    { canary: { ...seen, at: now - 30_001, countedAt: at(11, 59) } },
    'canary',
    'Metrics are missing since 11:59: not counted as healthy, step is held.',
  ],
  'a canary that is still starting': [
    state({ weight: 0 }, 'canary', { status: 'claimed' }),
    {},
    'canary',
    'Starting: no user is on it yet.',
  ],
  'a lane that a rollback holds': [
    state({}, 'canary'),
    { hold: { reason: 'rolled_back', at: at(10, 14) } },
    'held',
    'Held since 10:14 after a rollback: an operator must let new versions go live again.',
  ],
  'a lane that a person holds': [
    state({}, 'canary'),
    { hold: { reason: 'person', at: Date.UTC(2026, 10, 23, 8, 30) } },
    'held',
    'Held since Mon 08:30 by a person: an operator must let new versions go live again.',
  ],
  'a busy lane': [
    state({}, 'canary'),
    { laneBusy: true },
    'queued',
    'Waiting since 10:02 for another release of this prototype to finish.',
  ],
  'a promotion whose gates have all passed': [
    state({ gates: state({}, 'canary').gates.map((gate) => ({ ...gate, status: 'passed' as const })) }, 'none'),
    {},
    'running',
    'All gates have passed, going live.',
  ],
  'a live release': [
    state({ outcome: 'live' }, 'none'),
    { liveVersion: 'v14' },
    'live',
    'Live since 10:14: v14 serves everyone.',
  ],
  'a release that another has followed': [
    state({ outcome: 'live' }, 'none'),
    { liveVersion: 'v15' },
    'live',
    'Went live at 10:14. Users are on v15.',
  ],
  'a rollback': [
    state({ outcome: 'rolled_back', endedAt: at(10, 15) }, 'canary', {
      ...{ status: 'failed', since: at(10, 14), reasons: [{ code: 'worse', message: 'errors 8.1 % against 0.4 %' }] },
    }),
    { liveVersion: 'v13' },
    'rolled_back',
    'Rolled back at 10:14: errors 8.1 % against 0.4 %. Users are on v13.',
  ],
  'a demotion by the watch': [
    state({ outcome: 'demoted', watch: { cost: { action: 'demote', reasons: [overCap] } } } as never, 'none'),
    { liveVersion: 'v13', hold: { reason: 'demoted', at: at(10, 14) } },
    'demoted',
    'Demoted at 10:14: a day costs 31. Users are on v13. Nothing new goes live until an operator has resumed its lane.',
  ],
  'a rollback by a person that is not tidied up yet': [
    state({ undo: { outcome: 'rolled_back', why: 'person', by: 'psn_1', at: at(10, 14) } }, 'canary'),
    {},
    'rolled_back',
    'Rolled back at 10:14 by a person. Nobody is served. Tidying up.',
  ],
  'a cancelled canary that is not tidied up yet': [
    state({ undo: { outcome: 'cancelled', why: 'person', by: 'psn_1', at: at(10, 14) } }, 'canary'),
    { liveVersion: 'v13' },
    'cancelled',
    'Stopped at 10:14. Users are on v13. Tidying up.',
  ],
  'a no': [
    state({ outcome: 'rejected' }, 'approval', { status: 'rejected' }),
    {},
    'rejected',
    'Rejected at 10:14: not approved. Upload a new version.',
  ],
  'nobody’s answer': [
    state({ outcome: 'expired' }, 'approval', { status: 'expired' }),
    {},
    'expired',
    'Nobody answered in time: not approved.',
  ],
  'a block that nobody mended': [
    state({ outcome: 'expired' }, 'scan', { status: 'expired', verdict: 'fail' }),
    {},
    'expired',
    'Blocked by the scan for 30 days: expired. Upload a new version.',
  ],
  'a version that came too late': [
    state({ outcome: 'superseded' }, 'scan'),
    {},
    'superseded',
    'Superseded by a newer version at 10:14.',
  ],
  'a promotion that was stopped': [
    state({ outcome: 'cancelled' }, 'scan'),
    {},
    'cancelled',
    'Stopped by a person at 10:14.',
  ],
};

describe('headline', () => {
  it.each(Object.entries(rows))('says of %s where it stands', (_what, [promotion, more, standing, sentence]) => {
    const said = headline(promotion, { ...facts, ...more });
    expect([said.state, said.sentence]).toEqual([standing, sentence]);
  });

  it('has a sentence in this table for every state', () => {
    const told = new Set(Object.values(rows).map(([, , standing]) => standing));
    expect(promotionStates.filter((standing) => !told.has(standing))).toEqual([]);
  });
});
