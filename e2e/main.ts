import { namedRunOf } from '../tools/named-run.ts';
import { blind, blindText } from './canary/blind.ts';
import { canary, canaryText } from './canary/canary.ts';
import { zombies, zombiesText } from './canary/zombies.ts';
import { channelsText, playChannels } from './channels/channels.ts';
import { exports, exportsText } from './exports/exports.ts';
import { fuzz, fuzzText } from './fuzz/fuzz.ts';
import { attackedWays, hostile, type HostileResult, hostileText } from './hostile/hostile.ts';
import { kills, killsText } from './kills.ts';
import type { RepeatedOrder } from './order.ts';
import { portal, portalText } from './portal/portal.ts';
import { projectRoot } from './project-root.ts';
import { races, racesText } from './races/races.ts';
import { watch, watchText } from './watch/watch.ts';

/** What a scenario answers: the words for people, the facts for machines. */
interface Played {
  readonly text: string;
  readonly json: object;
  readonly passed: boolean;
  /** True when this machine lacks what the scenario needs: nothing is said about the product then. */
  readonly impossible?: boolean;
}

const runs = {
  kills: 'every process killed at every named point, Temporal’s database deleted, bugs planted',
  hostile: 'a prototype that tries to break out, in every phase and both ways of isolation, while the service is asked',
  exports: 'what other tools export, to its end; the edge killed under traffic; releases changed under load',
  fuzz: 'everything that Schemathesis makes up from the description, as three roles',
  portal: 'a page of somebody’s own, built on the published client, in a real browser; offline for half a minute',
  races: 'two hundred votes at once, by people who may and people who may not; the lock taken out',
  watch: 'ninety days of live releases on a turned clock; something breaches each row of their policy',
  canary: 'versions that fail in known ways, as their users count it, and canaries of which nothing is seen',
  blind: 'every part stopped, killed and cut off while a canary turns bad',
  zombies: 'workers that wake up with a share in their hand; runs ended, cancelled and set back',
  channels:
    'the whole demo decided in each channel; its API killed in the middle of messages, and a channel that is away',
};

const scenarios: Readonly<Record<keyof typeof runs, (order: RepeatedOrder) => Promise<Played>>> = {
  kills: async (order) => {
    const result = await kills(order);
    const { storm, lost, clean, planted, elapsedMs, passed } = result;
    const { struck, findings, last, stable, visitorsSent } = storm;
    const facts = { last, stable, visitorsSent, elapsedMs };
    const json = { struck, findings: [...findings, ...clean], lost, planted, ...facts };
    return { text: killsText(result), json, passed };
  },
  hostile: async (order) => {
    const ways: HostileResult[] = [];
    for (const way of attackedWays) ways.push(await hostile({ ...order, way }));
    return { text: ways.map(hostileText).join('\n\n'), json: { ways }, passed: ways.every(({ passed }) => passed) };
  },
  exports: async (order) => {
    const result = await exports(order);
    const { passed, restarts, change } = result;
    // What failed on its own is a failure, whatever else could not be tried.
    const impossible = result.impossible !== null && restarts.passed && change?.passed === true;
    return { text: exportsText(result), json: result, passed, impossible };
  },
  fuzz: async (order) => {
    const result = await fuzz(order);
    const { passed, impossible } = result;
    return { text: fuzzText(result), json: result, passed, impossible: impossible !== null };
  },
  portal: async (order) => {
    const result = await portal(order);
    const { passed, impossible } = result;
    return { text: portalText(result), json: result, passed, impossible: impossible !== null };
  },
  races: async (order) => {
    const result = await races(order);
    return { text: racesText(result), json: result, passed: result.passed };
  },
  watch: async (order) => {
    const result = await watch(order);
    return { text: watchText(result), json: result, passed: result.passed };
  },
  canary: async (order) => {
    const result = await canary(order);
    return { text: canaryText(result), json: result, passed: result.passed };
  },
  blind: async (order) => {
    const result = await blind(order);
    return { text: blindText(result), json: result, passed: result.passed };
  },
  zombies: async (order) => {
    const result = await zombies(order);
    return { text: zombiesText(result), json: result, passed: result.passed };
  },
  channels: async (order) => {
    const result = await playChannels(order);
    return { text: channelsText(result), json: result, passed: result.passed };
  },
};

const offer = {
  script: 'e2e',
  runs,
  roundsDefault: 3,
  roundsDefaultOf: { races: 50, canary: 20, blind: 5, zombies: 20 },
} as const;
const { names, json, quick, roundsOf } = namedRunOf(offer, process.argv.slice(2));

const startedMs = performance.now();
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
};
let code = 0;
for (const name of names) {
  const played = await scenarios[name]({ projectRoot, quick, rounds: roundsOf(name), say });
  if (!played.passed) code = Math.max(code, played.impossible === true ? 2 : 1);
  const facts = { e2e: name, passed: played.passed, ...played.json };
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : `${played.text}\n`);
}
process.exit(code);
