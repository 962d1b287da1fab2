import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeGitHub } from '@proviso/testkit';
import type { Order } from '../order.ts';
import { openStage } from '../stage.ts';
import { foundSchemathesis, type Ran, type Report, runSchemathesis } from './schemathesis.ts';
import { castFor, type FuzzedRole, fuzzedRoles, fuzzPolicy, furnish } from './world.ts';

/** What came of one role. */
export interface Fuzzed extends Ran {
  readonly role: FuzzedRole;
}

/** All roles, or what was missing on this machine. */
export interface FuzzResult {
  readonly seed: number;
  readonly roles: readonly Fuzzed[];
  readonly examples: number;
  readonly impossible: string | null;
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Fewer would mean that something kept them from being made. */
const examplesMin = 2_000;
/** Three of these and their stages stay below eight minutes. */
const secondsPerRole = 110;

/** Asks everything of the description, as each role on a fresh deployment, with what Schemathesis makes up. */
export async function fuzz({ projectRoot, say }: Order): Promise<FuzzResult> {
  const startedMs = performance.now();
  const seed = randomInt(2 ** 31);
  const found = foundSchemathesis(projectRoot, { environment: process.env, say });
  const end = (roles: readonly Fuzzed[], impossible: string | null): FuzzResult => {
    const examples = roles.reduce((sum, { report }) => sum + (report?.test_cases.generated ?? 0), 0);
    const passed =
      roles.length === fuzzedRoles.length &&
      roles.every(({ report }) => isFuzzedClean(report)) &&
      examples >= examplesMin;
    return { seed, roles, examples, impossible, elapsedMs: Math.round(performance.now() - startedMs), passed };
  };
  if ('missing' in found) return end([], found.missing);
  const folder = mkdtempSync(join(tmpdir(), 'proviso-fuzz-'));
  const roles: Fuzzed[] = [];
  try {
    for (const role of fuzzedRoles) {
      say(`as ${role}, seed ${seed}`);
      const own = join(folder, role);
      roles.push(await fuzzed({ ...found, projectRoot, folder: own, role, seed }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return end(roles, null);
}

/** A line a role, then what failed in the words of Schemathesis, with the request to send again. */
export function fuzzText({ seed, roles, examples, impossible, elapsedMs, passed }: FuzzResult): string {
  if (impossible !== null) return `not fuzzed: ${impossible}`;
  return [
    ...roles.map(rowOf),
    ...roles.filter(({ report }) => !isFuzzedClean(report)).map(({ role, output }) => `\nas ${role}:\n${output}`),
    `seed ${seed}, examples ${examples} (at least ${examplesMin})`,
    `${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`,
  ].join('\n');
}

function rowOf({ role, report, statuses }: Fuzzed): string {
  if (report === null) return `${role.padEnd(14)} no report`;
  const { operations, test_cases: cases, failures } = report;
  const failed = failures.map(({ title, count }) => `${title} ${count}`).join(', ');
  const told = Object.entries(statuses).map(([status, count]) => `${status} ${count}`);
  return `${role.padEnd(14)} operations ${operations.tested}, examples ${cases.generated}, failures ${failed || 0} (${told.join(', ')})`;
}

/** Every operation was tried to the end, and nothing failed; what could not be made up is a failure too. */
export function isFuzzedClean(report: Report | null): boolean {
  if (report === null || !report.complete) return false;
  const { failures, errors, operations } = report;
  return failures.length + errors.length === 0 && operations.tested === operations.selected;
}

interface RoleRun {
  readonly program: string;
  readonly projectRoot: string;
  readonly folder: string;
  readonly role: FuzzedRole;
  readonly seed: number;
}

async function fuzzed({ program, projectRoot, folder, role, seed }: RoleRun): Promise<Fuzzed> {
  mkdirSync(folder, { recursive: true });
  // Versions are asked of GitHub, too: one on this machine, so that nothing leaves it.
  const github = await startFakeGitHub({});
  const stage = await openStage({
    ...{ codeRoot: projectRoot, projectRoot, folder: join(folder, 'stage'), policy: fuzzPolicy },
    ...{ extras: castFor(role), without: ['worker', 'edge', 'temporal'] },
    apiEnvironment: { PROVISO_GITHUB_API: github.baseUrl },
  });
  try {
    await furnish(stage, folder);
    const description = join(projectRoot, 'apps', 'api', 'openapi.json');
    const run = { program, folder, description, apiUrl: stage.apiUrl, seed, seconds: secondsPerRole };
    return { role, ...(await runSchemathesis(run)) };
  } finally {
    await stage.close();
    await github.close();
  }
}
