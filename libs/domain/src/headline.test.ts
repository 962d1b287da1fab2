import { pendingGate } from './gate.ts';
import { headline, type HeadlineFacts } from './headline.ts';
import type { PromotionState } from './promotion.ts';
import { smallPolicy } from './world.contract.ts';

const facts: HeadlineFacts = { tally: null, laneHeld: false, laneBusy: false, liveVersion: null, units: null };
const leak = { code: 'secret', message: 'a key is in the code: remove it and push', file: 'src/mail.ts', line: 14 };

function state(
  change: Partial<PromotionState>,
  at: string,
  gate: Partial<PromotionState['gates'][number]> = {},
): PromotionState {
  const names = smallPolicy.gates.map((rule) => rule.gate);
  const index = names.findIndex((name) => name === at);
  const gates = names.map((name, place) => ({
    ...pendingGate(name, 0),
    ...(place < index ? { status: 'passed' as const } : place === index ? gate : {}),
  }));
  const candidate = { version: 'v14' };
  return {
    policy: smallPolicy,
    candidate,
    gates,
    undo: null,
    outcome: null,
    weight: 0,
    ...change,
  } as unknown as PromotionState;
}

describe('headline', () => {
  it.each<[string, PromotionState, Partial<HeadlineFacts>, string, string]>([
    [
      'a blocked scan',
      state({}, 'scan', { status: 'failed', reasons: [leak] }),
      {},
      'blocked',
      'Blocked by the scan: a key is in the code: remove it and push (src/mail.ts:14).',
    ],
    [
      'a scan that could not tell',
      state({}, 'scan', { status: 'inconclusive', reasons: [] }),
      {},
      'inconclusive',
      'The scan could not tell, so it does not count as a pass: no reason was given.',
    ],
    [
      'a breakage',
      state({}, 'scan', { status: 'errored', breakages: 1 }),
      {},
      'running',
      'The scan broke and is tried again (1 so far).',
    ],
    [
      'people who are asked',
      state({}, 'approval', { status: 'waiting', expiresAt: Date.UTC(2026, 10, 27, 14) }),
      { tally: { met: false, have: [0, 1], assigned: {} } },
      'waiting_for_human',
      'Waiting for security (0 of 1) and operator (1 of 1), expires 2026-11-27 14:00 UTC.',
    ],
    [
      'a canary',
      state({ weight: 25 }, 'canary', { status: 'claimed' }),
      { units: 412 },
      'canary',
      'Live for 25 % of users, healthy so far (n = 412).',
    ],
    [
      'a canary of which nothing was counted yet',
      state({ weight: 10 }, 'canary', { status: 'claimed' }),
      { units: 0 },
      'canary',
      'Live for 10 % of users, nothing counted yet.',
    ],
    [
      'a canary that is still starting',
      state({ weight: 0 }, 'canary', { status: 'claimed' }),
      {},
      'canary',
      'Starting: no user is on it yet.',
    ],
    [
      'several failures of which the first names its file itself',
      state({}, 'scan', {
        status: 'failed',
        reasons: [{ ...leak, message: 'src/mail.ts, line 14, holds a key' }, leak],
      }),
      {},
      'blocked',
      'Blocked by the scan: src/mail.ts, line 14, holds a key (and 1 more finding).',
    ],
    [
      'a held lane',
      state({}, 'canary'),
      { laneHeld: true },
      'held',
      'Held since the last rollback: an operator must let new versions go live again.',
    ],
    [
      'a busy lane',
      state({}, 'canary'),
      { laneBusy: true },
      'queued',
      'Waiting for another release of this prototype to finish.',
    ],
    ['a live release', state({ outcome: 'live' }, 'none'), {}, 'live', 'Live: v14 serves everyone.'],
    [
      'a rollback',
      state({ outcome: 'rolled_back' }, 'canary', {
        status: 'failed',
        reasons: [{ code: 'worse', message: 'errors 8.1 % against 0.4 %' }],
      }),
      { liveVersion: 'v13' },
      'rolled_back',
      'Rolled back: errors 8.1 % against 0.4 %. Now users are on v13.',
    ],
    [
      'a rollback by a person',
      state({ outcome: 'rolled_back' }, 'canary'),
      {},
      'rolled_back',
      'Rolled back by a person. Now nobody is served.',
    ],
    [
      'nobody’s answer',
      state({ outcome: 'expired' }, 'approval'),
      {},
      'expired',
      'Nobody answered in time: not approved.',
    ],
  ])('says of %s where it stands', (_what, promotion, more, standing, sentence) => {
    const said = headline(promotion, { ...facts, ...more });
    expect([said.state, said.sentence]).toEqual([standing, sentence]);
  });
});
