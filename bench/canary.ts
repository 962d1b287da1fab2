import { clopperPearsonLower, clopperPearsonUpper, FALSE_ROLLBACK_MAX, type JudgePlan } from '@proviso/judge';
import { kayentaStyleRule, mannWhitneyRule, mixtureRule } from './canary/comparing-rules.ts';
import { EDGE_BOUNDS_MS, type JudgedRuleChoice, judgedRule } from './canary/judged-rule.ts';
import { type Ending, play, type Rule } from './canary/rule.ts';
import {
  alternatives,
  dayOfLooks,
  forgetfulEdge,
  healthy,
  latencyNull,
  latencyNullEachSecond,
  nulls,
  OBJECTIVE,
  REQUESTS_PER_SECOND,
  type Scenario,
  slower,
  stickyLatencyNulls,
} from './canary/scenarios.ts';
import { argoStyleRule, flaggerStyleRule } from './canary/threshold-rules.ts';
import { type BenchLine, median, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

/** How much is simulated. The numbers of runs are fixed beforehand: a bound that decides when to stop would not hold. */
interface Profile {
  readonly nullRuns: number;
  readonly peerRuns: number;
  readonly dayRuns: number;
  readonly latencyNullRuns: number;
  /** Of looks of a second; each takes a tenth of a second of processor time. */
  readonly latencyNullEachSecondRuns: number;
  readonly alternativeRuns: number;
  readonly latencyRuns: number;
  readonly horizonSeconds: number;
  readonly daySeconds: number;
}

const full: Profile = {
  ...{ nullRuns: 4_000, peerRuns: 500, dayRuns: 1_500, latencyNullRuns: 1_000, latencyNullEachSecondRuns: 1_500 },
  ...{ alternativeRuns: 1_000, latencyRuns: 60, horizonSeconds: 3_600, daySeconds: 86_400 },
};

const quick: Profile = {
  ...{ nullRuns: 60, peerRuns: 20, dayRuns: 4, latencyNullRuns: 4, latencyNullEachSecondRuns: 4 },
  ...{ alternativeRuns: 20, latencyRuns: 2, horizonSeconds: 1_800, daySeconds: 7_200 },
};

/** Our judge and ramp against the rules of others, on the same seeded canaries. */
export async function run(options: BenchOptions): Promise<readonly BenchLine[]> {
  const profile = options.quick ? quick : full;
  return [
    ...falseRollbacks(profile, options.quick),
    ...harmOfBadCanaries(profile),
    ...timeToLive(profile),
    ...timeToFindSlowness(profile),
  ];
}

const plan: JudgePlan = {
  ...{ objective: OBJECTIVE, firstRelease: false, sticky: false, rateRatioTolerated: 1, rateRatioMax: 2 },
};

/** Looks of the standard policy, the usual ramp, and counts as the worker takes them. */
function ours(more: Partial<JudgedRuleChoice> = {}): Rule {
  const defaults = { name: 'Proviso', plan, lookSeconds: 10, requestsPerSecond: REQUESTS_PER_SECOND } as const;
  return judgedRule({ ...defaults, hold: 'usual', advances: true, ...more });
}

/** The standard, and what an operator can choose beside it. */
const ways: readonly { readonly way: string; readonly choice: Partial<JudgedRuleChoice> }[] = [
  { way: 'usual ramp, looks of 10 s', choice: {} },
  { way: 'usual ramp, looks of 5 s', choice: { lookSeconds: 5 } },
  { way: 'careful ramp, looks of 5 s', choice: { hold: 'careful', lookSeconds: 5 } },
];

const peers: readonly Rule[] = [
  argoStyleRule(0, OBJECTIVE),
  argoStyleRule(3, OBJECTIVE),
  flaggerStyleRule(10, OBJECTIVE),
  mannWhitneyRule('errors'),
  kayentaStyleRule('errors'),
  mixtureRule(),
];

interface Played {
  readonly scenario: Scenario;
  readonly rule: Rule;
  readonly runs: number;
  readonly horizonSeconds: number;
}

function endings({ scenario, rule, runs, horizonSeconds }: Played): readonly Ending[] {
  return Array.from({ length: runs }, (_, run) => play(rule, scenario.world(run), horizonSeconds));
}

function rolledBack(all: readonly Ending[]): number {
  return all.filter(({ kind }) => kind === 'rolled_back').length;
}

/** Canaries as good as stable. Ours is looked at to the horizon, as when a person holds it; peers end by their schedule. */
function falseRollbacks(profile: Profile, isQuick: boolean): readonly BenchLine[] {
  const { nullRuns, dayRuns, latencyNullRuns, latencyNullEachSecondRuns, horizonSeconds, daySeconds } = profile;
  const held = (scenario: Scenario, runs: number, more: Partial<JudgedRuleChoice> = {}, seconds = horizonSeconds) => {
    const rule = ours({ advances: false, plan: { ...plan, sticky: scenario.sticky }, ...more });
    const wrong = rolledBack(endings({ scenario, rule, runs, horizonSeconds: seconds }));
    return { scenario, wrong, runs, isQuick };
  };
  const errors = nulls.flatMap((scenario) => {
    const seen = held(scenario, nullRuns);
    return [nullLine(seen), ...peerNullLines(profile, seen, peers)];
  });
  const byEdge = { latency: 'edge', plan: latencyPlan } as const;
  const latency = held(latencyNull, latencyNullRuns, byEdge);
  const eachSecond = { ...byEdge, lookSeconds: 1 };
  const stickyLatency = stickyLatencyNulls.map((scenario) => {
    const choice = { ...byEdge, plan: { ...latencyPlan, sticky: true } };
    const line = nullLine(held(scenario, Math.ceil(latencyNullRuns / 2), choice));
    return scenario.timed === 'first requests' ? line : { ...line, ...informing };
  });
  return [
    ...errors,
    { ...nullLine(held(forgetfulEdge, nullRuns)), ...informing },
    nullLine(held(dayOfLooks, dayRuns, {}, daySeconds)),
    nullLine(latency),
    nullLine(held(latencyNullEachSecond, latencyNullEachSecondRuns, eachSecond)),
    ...stickyLatency,
    ...peerNullLines({ ...profile, peerRuns: Math.ceil(latencyNullRuns / 10) }, latency, latencyPeers),
  ];
}

/** What one rule did wrong on one scenario. */
interface NullSeen {
  readonly scenario: Scenario;
  readonly wrong: number;
  readonly runs: number;
  readonly isQuick: boolean;
}

/** For lines that say what would be, and promise nothing: they are about counts that a judge should not be given. */
const informing = { goal: 'none', met: true };

function peerNullLines(
  { peerRuns, horizonSeconds }: Profile,
  { scenario, wrong, runs }: NullSeen,
  rules: readonly Rule[],
): readonly BenchLine[] {
  return rules.map((rule) => {
    const theirs = rolledBack(endings({ scenario, rule, runs: peerRuns, horizonSeconds })) / peerRuns;
    const seen = { ours: rounded(wrong / runs), peer: rounded(theirs), peerName: rule.name };
    return lineOf(`false_rollbacks, ${scenario.name}`, seen);
  });
}

function nullLine({ scenario, wrong, runs, isQuick }: NullSeen): BenchLine {
  const proportion = { passes: wrong, trials: runs };
  const upper = clopperPearsonUpper(proportion, 0.95);
  const goal = 1.2 * FALSE_ROLLBACK_MAX;
  // Few runs bound nothing from above; they may only not speak against the promise.
  const met = isQuick ? clopperPearsonLower(proportion, 0.95) <= FALSE_ROLLBACK_MAX : upper <= goal;
  const line = lineOf(`false_rollbacks_upper_bound, ${scenario.name}`, { ours: rounded(upper) });
  return { ...line, goal: `<= ${goal}: ${wrong} of ${runs}`, met };
}

/** How many bad requests a worse canary adds until it is taken back, and how often it goes live. */
function harmOfBadCanaries({ alternativeRuns: runs, horizonSeconds }: Profile): readonly BenchLine[] {
  return alternatives.flatMap((scenario) => {
    const theirs = peers.map((peer) => ({ peer, all: endings({ scenario, rule: peer, runs, horizonSeconds }) }));
    return ways.flatMap(({ way, choice }) => {
      const mine = endings({ scenario, rule: ours(choice), runs, horizonSeconds });
      return theirs.flatMap(({ peer, all }) => harmLines({ scenario, way, peer, mine, theirs: all }));
    });
  });
}

function harmLines(seen: {
  readonly scenario: (typeof alternatives)[number];
  readonly way: string;
  readonly peer: Rule;
  readonly mine: readonly Ending[];
  readonly theirs: readonly Ending[];
}): readonly BenchLine[] {
  const { scenario, way, peer, mine, theirs } = seen;
  const { name, rateRatio } = scenario;
  const harm = { ours: rounded(meanExcess(mine)), peer: rounded(meanExcess(theirs)), peerName: peer.name };
  const wrong = { ours: rounded(promotedShare(mine)), peer: rounded(promotedShare(theirs)), peerName: peer.name };
  return [
    { ...lineOf(`excess_bad_requests, ${name}, ${way}`, harm), ...harmGoal(rateRatio, peer, harm) },
    {
      ...lineOf(`wrongly_promoted, ${name}, ${way}`, wrong),
      // The promise is about ρmax.
      ...(rateRatio === plan.rateRatioMax ? { goal: '<= 0.05', met: wrong.ours <= 0.05 } : {}),
    },
  ];
}

function harmGoal(rateRatio: number, peer: Rule, harm: { readonly ours: number; readonly peer: number }) {
  if (!peer.name.startsWith('Kayenta') || rateRatio < 5) return {};
  const times = rateRatio === 5 ? 10 : 30;
  return { goal: `at least ${times} times fewer`, met: harm.ours * times <= harm.peer };
}

function meanExcess(all: readonly Ending[]): number {
  return all.reduce((sum, { excessBad }) => sum + excessBad, 0) / all.length;
}

function promotedShare(all: readonly Ending[]): number {
  return all.filter(({ kind }) => kind === 'promoted').length / all.length;
}

/** Minutes until a healthy canary is live, in the median. */
function timeToLive({ alternativeRuns: runs, horizonSeconds }: Profile): readonly BenchLine[] {
  const minutes = (rule: Rule): number => {
    const all = endings({ scenario: healthy, rule, runs, horizonSeconds });
    return rounded(median(all.map(({ kind, seconds }) => (kind === 'promoted' ? seconds / 60 : horizonSeconds / 60))));
  };
  const theirs = peers.map((peer) => ({ peer: minutes(peer), peerName: peer.name }));
  return ways.flatMap(({ way, choice }) => {
    const mine = minutes(ours(choice));
    return theirs.map((peer) => lineOf(`minutes_to_live, healthy, ${way}`, { ours: mine, ...peer }));
  });
}

const latencyPeers: readonly Rule[] = [mannWhitneyRule('latency'), kayentaStyleRule('latency')];

const latencyPlan: JudgePlan = { ...plan, metrics: [{ metric: 'latency', portion: 0.5, bounds: EDGE_BOUNDS_MS }] };

/** Seconds until a canary that is slower by a tenth is taken back, in the median; the horizon when it is not. */
function timeToFindSlowness({ latencyRuns: runs, horizonSeconds }: Profile): readonly BenchLine[] {
  const found = (scenario: Scenario, rule: Rule): number =>
    median(
      endings({ scenario, rule, runs, horizonSeconds }).map(({ kind, seconds }) =>
        kind === 'rolled_back' ? seconds : horizonSeconds,
      ),
    );
  // The last two are no way of ours to take latency from an edge; they show what heats are for.
  const sources = [
    { way: "the edge's heats, looks of 10 s", latency: 'edge', lookSeconds: 10 },
    { way: "the edge's heats, looks of 5 s", latency: 'edge', lookSeconds: 5 },
    { way: "the edge's heats, looks of 1 s", latency: 'edge', lookSeconds: 1 },
    { way: 'buckets alone, looks of 1 s', latency: 'buckets', lookSeconds: 1 },
    { way: 'values, looks of 1 s', latency: 'values', lookSeconds: 1 },
  ] as const;
  return slower.flatMap((scenario) => {
    const theirs = latencyPeers.map((rule) => ({ peerName: rule.name, peer: found(scenario, rule) }));
    return sources.flatMap(({ way, ...how }) => {
      const mine = found(scenario, ours({ ...how, plan: latencyPlan, advances: false }));
      return theirs.map(({ peerName, peer }) => ({
        ...lineOf(`seconds_to_find, ${scenario.name}, ${way}`, { ours: mine, peer, peerName }),
        ...(how.latency === 'edge' && peerName.startsWith('Kayenta')
          ? { goal: 'at least 5 times sooner', met: mine * 5 <= peer }
          : {}),
      }));
    });
  });
}

function lineOf(
  metric: string,
  seen: { readonly ours: number; readonly peer?: number; readonly peerName?: string },
): BenchLine {
  const { ours: mine, peer = null, peerName = null } = seen;
  const ratio = peer === null || mine === 0 ? null : rounded(peer / mine);
  return { bench: 'canary', metric, ours: mine, peer, peerName, ratio, goal: 'none', met: true };
}

/** One row for each thing that was measured, one column for each rule; what is promised stands in the lines below it. */
export function tableOf(lines: readonly BenchLine[]): string {
  const rows = [...new Set(lines.map(({ metric }) => metric))];
  const columns = [...new Set(lines.flatMap(({ peerName }) => (peerName === null ? [] : [peerName])))];
  const width = Math.max(...rows.map((row) => row.length));
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  const body = rows.map((metric) => {
    const own = lines.filter((line) => line.metric === metric);
    const theirs = columns.map((name) => own.find(({ peerName }) => peerName === name)?.peer ?? '');
    return row(metric, [own[0]?.ours ?? '', ...theirs].map(String));
  });
  const letters = columns.map((_, index) => String.fromCodePoint('A'.charCodeAt(0) + index));
  const legend = columns.map((name, index) => `${letters[index]}: ${name}`).join(', ');
  return [row('', ['Proviso', ...letters]), ...body, legend, ''].join('\n');
}
