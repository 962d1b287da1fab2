import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownRegistries } from '../../apps/cli/src/registries.ts';
import { uploadedCandidate } from '../candidate.ts';
import { onDrivenStage } from '../driven-stage.ts';
import { eventually } from '../eventually.ts';
import { openDoor } from '../door.ts';
import { type Doors, type Driver, openDoors, type PromotionDocument, registered, voted } from '../journey.ts';
import { archiveOfFolder } from '../release-archive.ts';
import type { StageOptions } from '../stage.ts';

/** How a folder that another tool left behind must end. */
interface Expected {
  readonly folder: string;
  readonly policy: string;
  readonly end: 'live' | 'blocked';
  /** The gate and the code of the reason, and what its fix must say. */
  readonly because?: { readonly gate: string; readonly code: string; readonly fix: RegExp };
}

/** How one ended. */
export interface Outcome {
  readonly folder: string;
  readonly policy: string;
  readonly expected: string;
  readonly got: string;
  readonly reason: string;
  readonly passed: boolean;
}

const lockFile = { gate: 'readiness', code: 'lock_file_missing', fix: /npm install/ };
const table: readonly Expected[] = [
  { folder: 'vite-react', policy: 'site', end: 'live' },
  { folder: 'node-server', policy: 'standard', end: 'live' },
  { folder: 'python-service', policy: 'standard', end: 'live' },
  { folder: 'bolt-folder', policy: 'site', end: 'blocked', because: lockFile },
];

/** Packages, a build, an evaluation and a canary; on two cores that build at once it has taken three minutes. */
const endMsMax = 420_000;
const visitorsPerSecond = 40;

/** Whether the registry that npm is configured with can be asked: without it nothing here can be built. */
export async function registryMissing(projectRoot: string, environment = process.env): Promise<string | null> {
  try {
    const sources = join(projectRoot, 'examples', 'exports', 'node-server');
    const words = ['view', 'ws', 'version', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
    await promisify(execFile)('npm', words, { cwd: sources, env: environment, timeout: 20_000 });
    return null;
  } catch {
    return 'expected a package registry that answers, got none: no export can be built here';
  }
}

/** Brings every export as far as it comes, with the contract that `init` writes and the votes of the people. */
export async function outcomes(stage: Omit<StageOptions, 'policy'>): Promise<readonly Outcome[]> {
  const policy = await hurried(stage.projectRoot, 'standard');
  const workerEnvironment = await ownRegistries(process.env);
  const options = { ...stage, policy, workerEnvironment, requests: [{ method: 'GET', path: '/' }] };
  return await onDrivenStage(options, async (driver) => {
    const { people, policies } = driver.stage.cast;
    const pia = openDoor(driver.stage.apiUrl, people.pia, []);
    const source = await hurried(stage.projectRoot, 'site');
    const site = await pia.post<{ id: string }>('/v1/policies', { source });
    const ids: Readonly<Record<string, string>> = { site: site.id, standard: policies.standard?.id ?? '' };
    return await Promise.all(
      table.map((expected) => outcomeOf({ ...driver, policy: ids[expected.policy] ?? '' }, { stage, expected })),
    );
  });
}

/** The policy as it is, but that its canary looks as often as the tests can bear. */
async function hurried(projectRoot: string, name: string): Promise<string> {
  const source = await readFile(join(projectRoot, 'policies', `${name}.yaml`), 'utf8');
  return source
    .replace('look: 10s', 'look: 500ms')
    .replace('dwell: 30s', 'dwell: 1s')
    .replace('deadline: 24h', 'deadline: 5m');
}

async function outcomeOf(
  driver: Driver,
  { stage, expected }: { readonly stage: Omit<StageOptions, 'policy'>; readonly expected: Expected },
): Promise<Outcome> {
  const { folder, policy, end, because } = expected;
  const doors = openDoors(driver);
  const { copy, name } = await initialised(stage, folder);
  const prototype = await registered(doors, name, false);
  const candidate = await uploadedCandidate(doors.bea, { prototype, version: 'v1', archive: archiveOfFolder(copy) });
  const { id } = await doors.bea.post<{ id: string }>('/v1/promotions', {
    prototype,
    candidate,
    policy: driver.policy,
  });
  const shown = await ended(driver, doors, id).catch((error: unknown) => String(error));
  if (typeof shown === 'string') return { folder, policy, expected: end, got: 'no end', reason: shown, passed: false };
  const stopped = shown.gates.find(({ reasons, status }) => reasons.length > 0 && status !== 'passed');
  const [reason] = stopped?.reasons ?? [];
  const isRight =
    because === undefined ||
    (stopped?.name === because.gate && reason?.code === because.code && because.fix.test(reason.message));
  const passed = shown.state === end && isRight;
  return {
    folder,
    policy,
    expected: end,
    got: shown.state,
    reason: [stopped?.name, reason?.message].filter(Boolean).join(': '),
    passed,
  };
}

/** An export under another name, since nothing may depend on what a folder is called, with what `init` makes of it. */
export async function initialised(
  { projectRoot, folder: top }: Pick<StageOptions, 'projectRoot' | 'folder'>,
  folder: string,
): Promise<{ readonly copy: string; readonly name: string }> {
  const copy = join(top, `copy-of-${folder}`);
  await cp(join(projectRoot, 'examples', 'exports', folder), copy, { recursive: true });
  const words = ['apps/cli/src/main.ts', 'init', copy, '--yes', '--owner', 'Ada Lovelace'];
  await promisify(execFile)(process.execPath, words, { cwd: projectRoot });
  const [, name = ''] = /^prototype: (\S+)$/m.exec(await readFile(join(copy, 'proviso.yaml'), 'utf8')) ?? [];
  return { copy, name };
}

/** Votes where votes are wanted and sends users where users are missing, until it goes on no more by itself. */
async function ended(driver: Driver, doors: Doors, id: string): Promise<PromotionDocument> {
  return await eventually(
    `${id} to end`,
    async () => {
      const shown = await doors.bea.get<PromotionDocument>(`/v1/promotions/${id}`);
      if (shown.lane !== null) driver.visitors.send(shown.lane.host, shown.at === 'canary' ? visitorsPerSecond : 0);
      const waiting = shown.gates.find(({ status }) => status === 'waiting');
      if (waiting !== undefined) await voted(doors, waiting);
      return shown.outcome !== null || ['blocked', 'inconclusive'].includes(shown.state) ? shown : null;
    },
    endMsMax,
  );
}

/** A line for each export. */
export function outcomesText(found: readonly Outcome[]): string {
  return found
    .map(({ folder, policy, expected, got, reason, passed }) => {
      const verdict = passed ? 'ok   ' : 'WRONG';
      return `${verdict} ${folder.padEnd(15)} policy ${policy.padEnd(9)} expected ${expected}, got ${got}${reason === '' ? '' : ` (${reason})`}`;
    })
    .join('\n');
}
