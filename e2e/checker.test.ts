import { createHash } from 'node:crypto';
import { chainFindings } from './invariants/chain.ts';
import { laneFindings } from './invariants/lanes.ts';
import type { Entry, Snapshot } from './invariants/snapshot.ts';
import { storyFindings } from './invariants/story.ts';
import { downMsMax, serviceOf, type Visit } from './invariants/served.ts';
import { foundIn, worldFindings, type World } from './invariants/world.ts';

const promotion = `prm_${'a'.repeat(32)}`;
const lane = `lane_${'b'.repeat(32)}`;
const artifact = `sha256:${'1'.repeat(64)}`;
const builder = 'psn_builder';

interface Told {
  readonly kind: string;
  readonly body?: object;
  readonly pid?: string;
  readonly roles?: readonly string[];
  readonly key?: string;
}

/** Entries as the journal would have written them: numbered, chained and hashed. */
function chained(stream: string, streamId: string, told: readonly Told[]): readonly Entry[] {
  let sprev = '0'.repeat(64);
  return told.map(({ kind, body = {}, pid = 'psn_worker', roles = [], key = 'none' }, index) => {
    const said = {
      stream: `${stream}/${streamId}`,
      sseq: index + 1,
      sprev,
      idem: createHash('sha256').update(key).digest('hex'),
      actor: { pid, kind: 'human', rolesAt: roles },
      body: body as Readonly<Record<string, unknown>>,
    };
    const bytes = Buffer.from(JSON.stringify(said));
    const hash = createHash('sha256').update(bytes).digest('hex');
    sprev = hash;
    return {
      ...{ id: index + 1, stream, streamId, sseq: index + 1, kind, atMs: 0, bytes, hash, said },
      ...{ position: index, pending: false },
    };
  });
}

function snapshotOf(entries: readonly Entry[], over: Partial<Snapshot> = {}): Snapshot {
  return { nowMs: 0, entries, streams: [], leaves: [], leases: new Map(), writtenAt: new Map(), ...over };
}

const opening: Told = {
  kind: 'promotion_opened',
  body: {
    candidate: { manifest: { artifact } },
    exclusions: [{ person: builder }],
    policy: {
      gates: [
        { gate: 'scan' },
        { gate: 'approval', requirements: [{ from: 'group/security', count: 2 }] },
        { gate: 'canary' },
      ],
    },
  },
};
const opensBuild: Told = {
  kind: 'promotion_opened',
  body: {
    candidate: { manifest: { artifact } },
    exclusions: [],
    policy: { gates: [{ gate: 'build' }, { gate: 'scan' }, { gate: 'canary' }] },
  },
};
const builds = (made: string): Told => ({
  kind: 'artifact_built',
  body: { gate: 'build', attempt: 1, artifact: made },
});
const claim = (gate: string, attempt = 1): Told => ({ kind: 'step_claimed', body: { gate, attempt } });
const passed = (gate: string, fence: number): Told => ({
  kind: 'gate_reported',
  body: { gate, attempt: 1, verdict: 'pass' },
  key: `${promotion}/${gate}/1/${fence}/report`,
});
const shown: Told = { kind: 'gate_opened', body: { gate: 'approval', attempt: 1, evidenceDigest: 'seen' } };
const vote = (pid: string, over: object = {}): Told => ({
  kind: 'decision_recorded',
  pid,
  roles: ['approver/security'],
  body: {
    gate: 'approval',
    attempt: 1,
    decision: { id: `dec_${pid}`, person: pid, verdict: 'approve', artifact, evidenceDigest: 'seen', ...over },
  },
});
const quorum: Told = { kind: 'quorum_reached', body: { gate: 'approval', attempt: 1 } };
const weighed = (percent: number): Told => ({ kind: 'canary_weighed', body: { percent } });
const hand = (on: 'paused' | 'unpaused' | 'hastened'): Told => ({ kind: `canary_${on}`, body: { gate: 'canary' } });
const commented: Told = { kind: 'commented', pid: builder, body: { by: builder } };
const approved = [opening, claim('scan'), passed('scan', 1), shown, vote('psn_one'), vote('psn_two'), quorum];

const canaried = [...approved, claim('canary'), weighed(10)];

const found = (...told: readonly Told[]) =>
  storyFindings(snapshotOf(chained('promotion', promotion, told))).map(
    ({ invariant, detail }) => `${invariant} ${detail}`,
  );

describe('the checker reads a promotion', () => {
  it('and finds nothing wrong with a right one', () => {
    expect(found(...approved, claim('canary'), passed('canary', 2))).toEqual([]);
    const steered = [hand('paused'), hand('unpaused'), hand('hastened'), weighed(50)];
    expect(found(...canaried, ...steered, passed('canary', 2))).toEqual([]);
    const rejected = vote('psn_one', { verdict: 'reject' });
    const ended: Told = { kind: 'promotion_ended', body: { outcome: 'rejected' } };
    expect(found(...approved.slice(0, 4), commented, rejected, ended, commented)).toEqual([]);
  });

  it.each([
    ['a canary without the approval', [opening, claim('scan'), passed('scan', 1), claim('canary')], 'I2 entry 4'],
    ['a vote of somebody who is excluded', [...approved.slice(0, 4), vote(builder)], 'I2 entry 5'],
    ['a quorum of one person who voted twice', [...approved.slice(0, 5), vote('psn_one'), quorum], 'I1 entry 6'],
    ['a quorum of too few', [...approved.slice(0, 5), quorum], 'I2 entry 6'],
    ['a vote on another artifact', [...approved.slice(0, 4), vote('psn_one', { artifact: 'other' })], 'I3 entry 5'],
    [
      'a vote on evidence nobody showed',
      [...approved.slice(0, 4), vote('psn_one', { evidenceDigest: 'no' })],
      'I2 entry 5',
    ],
    ['a share that grew while a person kept it', [...canaried, hand('paused'), weighed(50)], 'I2 entry 11'],
    ['a canary that went live while it was paused', [...canaried, hand('paused'), passed('canary', 2)], 'I2 entry 11'],
    ['a hurried canary that was paused', [...canaried, hand('paused'), hand('hastened')], 'I2 entry 11'],
    ['a second report of one attempt', [opening, claim('scan'), passed('scan', 1), passed('scan', 1)], 'I4 entry 4'],
    ['a report under an old fence', [opening, claim('scan'), claim('scan'), passed('scan', 1)], 'I4 entry 4'],
    [
      'a gate that has passed for another artifact than was built last',
      [
        ...[opensBuild, claim('build'), builds('one'), passed('build', 1), claim('scan'), passed('scan', 2)],
        ...[{ kind: 'gate_reopened', body: { gate: 'build' } }, claim('build', 2), builds('two')],
        {
          ...passed('build', 3),
          body: { gate: 'build', attempt: 2, verdict: 'pass' },
          key: `${promotion}/build/2/3/report`,
        },
        claim('canary'),
      ],
      'I2 entry 11',
    ],
    ['an artifact that no build has made', [opensBuild, builds('one')], 'I3 entry 2'],
    [
      'a step after the end',
      [opening, { kind: 'promotion_ended', body: { outcome: 'cancelled' } }, claim('scan')],
      'I2 entry 3',
    ],
  ])('and finds %s', (_, told, expected) => {
    expect(found(...told)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
  });

  it('and finds an entry that was changed, left out or forked', () => {
    const [first, second, third] = chained('promotion', promotion, [opening, claim('scan'), passed('scan', 1)]);
    if (first === undefined || second === undefined || third === undefined) throw new Error('expected three entries');
    const altered = { ...second, bytes: Buffer.from(second.bytes.toString('utf8').replace('scan', 'sham')) };
    for (const entries of [
      [first, altered, third],
      [first, third],
      [first, second, second, third],
    ]) {
      expect(chainFindings(snapshotOf(entries)).map(({ invariant }) => invariant)).toContain('chain');
    }
  });
});

describe('the checker reads a lane', () => {
  const release = { id: 'rel_a', promotion, artifact };
  const acquired: Told = { kind: 'lane_acquired', body: { promotion } };
  const deployed = (over: object = {}): Told => ({
    kind: 'release_deployed',
    body: { release: { ...release, ...over } },
  });
  const weighed: Told = { kind: 'weight_set', body: { percent: 50 } };
  const inLane = (...told: readonly Told[]) =>
    laneFindings(snapshotOf([...chained('promotion', promotion, [opening]), ...chained('lane', lane, told)])).map(
      ({ invariant }) => invariant,
    );

  it('and finds nothing wrong with a right one', () => {
    expect(inLane(acquired, deployed(), weighed)).toEqual([]);
  });

  it.each([
    ['an artifact that was never approved', [acquired, deployed({ artifact: 'other' })], 'I3'],
    ['a share without an owner', [weighed], 'I5'],
    [
      'a lane that is left with a share',
      [acquired, deployed(), weighed, { kind: 'lane_released', body: { promotion } }],
      'I5',
    ],
  ])('and finds %s', (_, told, expected) => {
    expect(inLane(...told)).toContain(expected);
  });
});

describe('the checker looks at what runs', () => {
  const release = { id: 'rel_a', promotion, artifact };
  const row = {
    id: lane,
    stable: release,
    canary: null,
    weight: 0,
    fence: { incarnation: 1, counter: 4 },
    owner: null,
  };
  const served = {
    ...{ lane, fence: row.fence, weightServedPercent: 0, parked: false },
    releases: [{ release: release.id, artifactDigest: artifact, state: 'ready', treeDigest: artifact }],
  };
  const state = { outcome: null, gates: [{ status: 'claimed' }] };
  const streams = [
    { kind: 'lane', id: lane, revision: 1, head: '', state: row },
    { kind: 'promotion', id: promotion, revision: 1, head: '', state },
  ];
  const world: World = {
    ...{ seenAtMs: 100_000, lanes: [served], running: new Set([promotion]) },
    ...{ reconcilerFound: [], crashedAtMs: null },
  };
  const look = (over: Partial<World>) => worldFindings(snapshotOf([], { streams }), { ...world, ...over });

  it('and finds nothing where all agree', () => {
    expect(look({})).toEqual([]);
  });

  it.each([
    ['I5', 'a share after its lease', { lanes: [{ ...served, weightServedPercent: 50 }] }],
    [
      'I3',
      'files that were never scanned',
      { lanes: [{ ...served, releases: [{ ...served.releases[0], treeDigest: 'other' }] }] },
    ],
    ['I4', 'a fence that nobody decided', { lanes: [{ ...served, fence: { incarnation: 1, counter: 5 } }] }],
    ['I7', 'an edge that stays behind', { lanes: [{ ...served, fence: { incarnation: 1, counter: 3 } }] }],
    ['I7', 'a stable release that does not run', { lanes: [{ ...served, releases: [] }] }],
    ['I10', 'an open promotion that nobody carries on', { running: new Set<string>() }],
  ])('and names %s for %s', (invariant, _, over) => {
    expect(look(over as Partial<World>).map((finding) => finding.invariant)).toEqual([invariant]);
  });

  describe('and at a run that outlives its promotion', () => {
    const ended = [{ ...streams[0], kind: 'promotion', id: promotion, state: { outcome: 'live', gates: [] } }] as const;
    const crashedAtMs = Date.parse('2026-01-01T12:00:00.000Z');
    const line = (msg: string, over: object = {}) =>
      `${JSON.stringify({ time: '2026-01-01T12:00:30.000Z', promotion, standing: 'idle', ...over, msg })}\n`;
    const judged = (workerLog: string, crash: number | null = crashedAtMs) =>
      worldFindings(snapshotOf([], { streams: ended as unknown as Snapshot['streams'] }), {
        ...{ ...world, lanes: [], crashedAtMs: crash, reconcilerFound: foundIn(workerLog) },
      }).map(({ invariant }) => invariant);

    it('and is content when the reconciler has found it within a minute after the crash', () => {
      expect(judged(line('reconciler.found'))).toEqual([]);
    });

    it.each([
      ['says nothing', ''],
      ['names it in another matter', line('look.granted')],
      ['could not look at it', line('reconciler.put_off')],
      ['has found another one', line('reconciler.found', { promotion: `prm_${'c'.repeat(32)}` })],
      ['quotes it about another one', line('reconciler.found', { promotion: 'prm_other', standing: promotion })],
      ['had found it before the crash', line('reconciler.found', { time: '2026-01-01T11:59:59.999Z' })],
      ['finds it more than a minute after', line('reconciler.found', { time: '2026-01-01T12:01:00.001Z' })],
      ['was killed over its word', line('reconciler.found').slice(0, -4)],
    ])('and names I7 when the reconciler %s', (_, workerLog) => {
      expect(judged(workerLog)).toEqual(['I7']);
    });

    it('and names I7 when nothing had crashed', () => {
      expect(judged(line('reconciler.found'), null)).toEqual(['I7']);
    });
  });
});

describe('the checker reads what visitors met', () => {
  const strike = 100_000;
  const visit = (sentAt: number, endedAt: number, what: string): Visit => ({ host: 'desk', sentAt, endedAt, what });
  const answered = visit(strike + 1_200, strike + 1_250, '200');
  const judged = (visits: readonly Visit[], strikes: readonly number[] = [strike]) => {
    const succeeded = visits.filter(({ what }) => what === '200');
    const { failed, downtimes } = serviceOf({ toStable: visits, succeeded, strikes });
    return { failed: failed.length, failedWhileDown: downtimes.reduce((sum, down) => sum + down.failed, 0) };
  };

  it.each([
    ['sent while no edge was there', visit(strike + 300, strike + 301, 'ECONNREFUSED')],
    ['open when the edge was struck', visit(strike - 2_000, strike + 2, 'ECONNRESET')],
    ['sent just before the new edge answered', visit(strike + 1_249, strike + 1_300, '503')],
  ])('and counts apart a request that was %s', (_, lost) => {
    expect(judged([lost, answered])).toEqual({ failed: 0, failedWhileDown: 1 });
  });

  it.each([
    ['was over before the strike', visit(strike - 900, strike - 1, '502')],
    ['was sent after the new edge had answered', visit(strike + 1_251, strike + 1_300, '503')],
  ])('and finds a failure that %s', (_, lost) => {
    expect(judged([lost, answered])).toEqual({ failed: 1, failedWhileDown: 0 });
  });

  it('and finds a failure where nothing was struck', () => {
    expect(judged([visit(strike, strike + 5, '503')], [])).toEqual({ failed: 1, failedWhileDown: 0 });
  });

  it('and takes no answer for the new edge’s that the old one may have given', () => {
    const before = visit(strike - 10, strike + 1, '200');
    expect(judged([before, visit(strike + 300, strike + 301, '503'), answered])).toEqual({
      ...{ failed: 0, failedWhileDown: 1 },
    });
  });

  it('and excuses an edge that never answers again for so long and no longer', () => {
    const [early, late] = [downMsMax, downMsMax + 1].map((after) => visit(strike + after, strike + after, '503'));
    if (early === undefined || late === undefined) throw new Error('expected two visits');
    expect(judged([early, late])).toEqual({ failed: 1, failedWhileDown: 1 });
  });
});
