import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Lane, type Limits, listLanes, readLimits, readRunning, type Running } from '@proviso/client';
import { bytesWords, group, read, text } from '@proviso/domain';
import type { Api } from '../api.ts';
import { isRunning, type LocalProcess, processesBelow } from '../process-tree.ts';
import { namesOfPrototypes } from '../reading.ts';
import type { Finding } from './doctor.ts';

/** More lanes than a person reads in a table; the API lists them all. */
const LANES_LISTED_MAX = 100;
/** An edge reports twice a second. */
const REPORT_AGE_MS_MAX = 15_000;
/** Local servers answer at once. */
export const PROBE_TIMEOUT_MS = 2_000;

/** The parts of a deployment by what their command lines hold; leashes and what parts start for themselves are no parts. */
const parts: readonly (readonly [name: string, mark: RegExp])[] = [
  ['PostgreSQL', /^\S*\/native\/bin\/postgres -D /],
  ['Temporal', /^\S*\/temporal server start-dev /],
  ['API', /\bapps\/api\/src\/main\.ts/],
  ['worker', /\bapps\/worker\/src\/main\.ts/],
  ['edge', /\bapps\/edge\/src\/main\.ts/],
];

/** The processes of the deployment on this machine: what each is, since when, and what it holds. */
export function processFindings(root: number): readonly Finding[] {
  const below = processesBelow(root).filter(({ command }) => !command.includes('leash-process.ts'));
  return parts.map(([name, mark]) => {
    const found = below.find(({ command }) => mark.test(command));
    return found === undefined
      ? { name, state: 'off', detail: 'no process of this deployment' }
      : { name, state: 'ok', detail: processWords(found) };
  });
}

function processWords({ pid, upMs, residentBytes }: LocalProcess): string {
  return `process ${pid}, up ${Math.round(upMs / 60_000)} min, ${bytesWords(residentBytes)}`;
}

/** What the API knows: isolation, lanes with their releases, the queue, and the disk. */
export async function runningFindings(api: Api): Promise<readonly Finding[]> {
  const [running, limits, lanes, names] = await Promise.all([
    api.read((options) => readRunning(options)),
    api.read((options) => readLimits(options)),
    api.read((options) => listLanes({ ...options, query: { limit: LANES_LISTED_MAX } })),
    namesOfPrototypes(api),
  ]);
  return [
    ...running.edges.map(isolationFinding),
    ...lanes.items.flatMap((lane) => laneFinding(lane, names.get(lane.prototype) ?? lane.prototype, running)),
    queueFinding(running, limits),
    diskFinding(limits),
  ];
}

/** What is read of a worker's answer about itself. */
const workerShape = group({ isolation: group({ way: text({ max: 40 }), limits: text({ max: 40 }) }, {}) }, {});

/** Builds and trials run with the worker: how it keeps them apart it says itself, and nobody else knows. */
export async function workerFinding(workerUrl: string): Promise<Finding> {
  const name = 'isolation of builds';
  const answer = await fetch(`${workerUrl}/healthz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    .then(async (response) => (await response.json()) as { isolation?: unknown })
    .catch(() => null);
  const found = read(workerShape, { isolation: answer?.isolation });
  return found.ok
    ? wayFinding(name, found.value.isolation)
    : {
        name,
        state: 'missing',
        detail: 'expected the worker to say how it is, got no answer; its log is in the folder logs',
      };
}

function isolationFinding({ ageMs, isolation }: Running['edges'][number]): Finding {
  const name = 'isolation of releases';
  if (ageMs > REPORT_AGE_MS_MAX)
    return {
      name,
      state: 'missing',
      detail: `expected a report of the edge, got none for ${Math.round(ageMs / 1_000)} s`,
    };
  if (isolation === null) return { name, state: 'off', detail: 'the edge does not say' };
  return wayFinding(name, isolation);
}

function wayFinding(name: string, { way, limits }: { readonly way: string; readonly limits: string }): Finding {
  if (way !== 'none') return { name, state: 'ok', detail: `${way}: ${limits}` };
  return {
    name,
    state: 'off',
    detail: 'none: only trusted prototypes run; install bubblewrap, or allow user namespaces',
  };
}

/** A lane that has nothing to serve needs no line. */
function laneFinding(lane: Lane, prototype: string, { edges }: Running): readonly Finding[] {
  const wanted = [lane.stable, lane.canary].filter((release) => release !== null);
  if (wanted.length === 0) return [];
  const said = edges.flatMap(({ releases }) => releases.filter((one) => one.lane === lane.id));
  const words = wanted.map(({ id, version }) => {
    const found = said.find(({ release }) => release === id);
    return found === undefined ? `${version} at no edge` : `${version} ${releaseWords(found)}`;
  });
  const well = wanted.every(({ id }) => said.some(({ release, state }) => release === id && state === 'ready'));
  const share = lane.canary === null ? '' : `; canary ${lane.weight} %${leaseWords(lane)}`;
  return [
    { name: `${prototype} ${lane.environment}`, state: well ? 'ok' : 'missing', detail: `${words.join('; ')}${share}` },
  ];
}

function releaseWords({ state, pid, port, restarts, isolation }: Running['edges'][number]['releases'][number]): string {
  const memory = pid === null ? 0 : processesBelow(pid).reduce((sum, one) => sum + one.residentBytes, 0);
  return [
    state,
    ...(pid === null || pid === 0 ? [] : [`process ${pid}`]),
    ...(port === null || port === 0 ? [] : [`port ${port}`]),
    ...(memory === 0 ? [] : [bytesWords(memory)]),
    ...(restarts === 0 ? [] : [`${restarts} restarts`]),
    ...(isolation === null ? [] : [`isolated: ${isolation}`]),
  ].join(', ');
}

function leaseWords({ leaseRemainingMs, weight }: Lane): string {
  if (weight === 0 || weight === 100) return '';
  return leaseRemainingMs === null ? ', no lease' : `, leased for ${Math.round(leaseRemainingMs / 1_000)} s`;
}

function queueFinding({ places }: Running, { limits, usage }: Limits): Finding {
  const waiting = places.waiting.length === 0 ? 'none waits' : `${places.waiting.length} wait`;
  const builds = `${usage.builds} of ${limits.buildsPerDayMax} builds begun today`;
  const detail = `${places.running.length} of ${limits.runsAtOnceMax} candidates run at once, ${waiting}; ${builds}`;
  return { name: 'queue', state: 'ok', detail };
}

function diskFinding({ limits, usage }: Limits): Finding {
  const detail = `${bytesWords(usage.diskBytes)} of ${bytesWords(limits.diskBytesMax)} kept`;
  if (usage.diskBytes < limits.diskBytesMax) return { name: 'disk', state: 'ok', detail };
  const fix = 'an operator says `proviso limits set diskBytesMax=…` or a shorter retentionDays';
  return { name: 'disk', state: 'missing', detail: `${detail}: no version is taken; ${fix}` };
}

/** Folders of workers that are gone; the next start and every hour remove them. */
export function leftOverFinding(dataFolder: string): Finding {
  const name = 'left-overs';
  const left = namesIn(join(dataFolder, 'worker')).filter((folder) => {
    const owner = /^candidate-(\d+)-/.exec(folder)?.[1];
    return owner !== undefined && !isRunning(Number(owner));
  });
  if (left.length === 0) return { name, state: 'ok', detail: 'none' };
  const detail = `${left.length} folders of workers that have ended; a worker removes them within the hour`;
  return { name, state: 'off', detail };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
