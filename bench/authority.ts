import { authorise, explain } from '@proviso/authority';
import { prepareCasbin } from './authority/casbin.ts';
import { type Case, casesOf } from './authority/cases.ts';
import { prepareCedar, prepareCedarParsed } from './authority/cedar.ts';
import { prepareOpa } from './authority/opa.ts';
import type { Peer } from './authority/peer.ts';
import { type BenchLine, median, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

const CASES = 10_000;
const SEED = 20_260_101;
/** A round takes at least this much of the processor, so that a pause of the collector does not make it. */
const ROUND_MS = 400;
const WARM_ROUNDS = 2;
const PER_SECOND_MIN = 1_000_000;
/** How many times as fast as each peer, where there is a goal. */
const ratioMin: Readonly<Record<string, number>> = { 'Cedar wasm': 100, casbin: 3 };

/**
 * One whole decision about rights (ability, requirement, separation of duties, and the refusal with its rule and who can
 * instead) against other engines on the same random cases, in turn, round by round. A second is one of the processor's:
 * nothing waits here, so the clock on the wall would only tell how busy the machine is with others.
 */
export async function run({ rounds, quick }: BenchOptions): Promise<readonly BenchLine[]> {
  const cases = casesOf(SEED, quick ? 500 : CASES);
  const prepared = [
    ...[await prepareCedar(cases), await prepareCedarParsed(cases)],
    ...[await prepareCasbin(cases), await prepareOpa(cases)],
  ];
  const peers = prepared.filter((peer) => peer !== null);
  const ours: Peer = { name: 'proviso', questions: cases.map((one) => () => authorise(one) === null) };
  const differences = peers.reduce((sum, peer) => sum + differencesOf(ours, peer), 0);
  const roundMs = quick ? ROUND_MS / 20 : ROUND_MS;
  const speedOf = speedsOf([ours, ...own(cases), ...peers], { rounds, roundMs });
  return [
    differenceLine(differences),
    ...peers.map((peer) => peerLine(speedOf(ours.name), speedOf(peer.name), peer.name)),
    ownLine('per_second', speedOf(ours.name), PER_SECOND_MIN),
    ownLine('per_second_states_read_again', speedOf('read again'), null),
    ownLine('explanations_per_second', speedOf('explained'), null),
  ];
}

/** The same with the state of the person just parsed, as under a lock, and with the words for every rule. */
function own(cases: readonly Case[]): readonly Peer[] {
  const again = cases.map((one) => ({ ...one, actor: structuredClone(one.actor) }));
  return [
    { name: 'read again', questions: again.map((one) => () => authorise(one) === null) },
    { name: 'explained', questions: cases.map((one) => () => explain(one).at(-1)?.answer === 'yes') },
  ];
}

function differencesOf(ours: Peer, peer: Peer): number {
  return peer.questions.filter((ask, index) => ask() !== ours.questions[index]?.()).length;
}

function speedsOf(peers: readonly Peer[], { rounds, roundMs }: { rounds: number; roundMs: number }) {
  const seen = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  for (let round = -WARM_ROUNDS; round < rounds; round += 1) {
    for (const { name, questions } of peers) {
      const speed = perSecond(questions, roundMs);
      if (round >= 0) seen.get(name)?.push(speed);
    }
  }
  return (name: string): number => median(seen.get(name) ?? []);
}

/** Whole passes over the cases, since they differ in cost; a slow peer makes one. */
function perSecond(questions: Peer['questions'], roundMs: number): number {
  const started = process.cpuUsage();
  let [asked, yes, tookMs] = [0, 0, 0];
  while (tookMs < roundMs) {
    for (const ask of questions) if (ask()) yes += 1;
    asked += questions.length;
    const { user, system } = process.cpuUsage(started);
    tookMs = (user + system) / 1_000;
  }
  if (yes === 0) throw new Error('expected some of the cases to be allowed, got none');
  return (asked / tookMs) * 1_000;
}

function differenceLine(differences: number): BenchLine {
  return {
    ...{ bench: 'authority', metric: 'differences', ours: differences, peer: null, peerName: null, ratio: null },
    ...{ goal: '0', met: differences === 0 },
  };
}

function peerLine(ours: number, peer: number, peerName: string): BenchLine {
  const [min, ratio] = [ratioMin[peerName], rounded(ours / peer)];
  return {
    ...{
      bench: 'authority',
      metric: 'decisions_per_second',
      ours: rounded(ours),
      peer: rounded(peer),
      peerName,
      ratio,
    },
    ...{ goal: min === undefined ? 'none' : `ratio >= ${min}`, met: min === undefined || ratio >= min },
  };
}

function ownLine(metric: string, speed: number, min: number | null): BenchLine {
  return {
    ...{ bench: 'authority', metric, ours: rounded(speed), peer: null, peerName: null, ratio: null },
    ...{ goal: min === null ? 'none' : `>= ${min}`, met: min === null || speed >= min },
  };
}
