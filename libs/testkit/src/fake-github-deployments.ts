import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { components } from '@octokit/openapi-types';

type Schemas = components['schemas'];

/** A deployment as GitHub keeps it, with every status that it was given. */
export interface FakeDeployment {
  readonly id: number;
  readonly commit: string;
  readonly environment: string;
  readonly payload: Schemas['deployment']['payload'];
  readonly statuses: { readonly state: string; readonly description: string; readonly logUrl: string }[];
}

/** A deploy job that waits at a protection rule of ours, and what it was told. */
export interface FakeWaitingJob {
  readonly run: number;
  readonly environment: string;
  readonly reports: string[];
  answer: { readonly state: 'approved' | 'rejected'; readonly comment: string } | null;
}

/** A check run of a merge group. */
export interface FakeGroupCheck {
  readonly name: string;
  readonly headSha: string;
  readonly conclusion: string;
  readonly summary: string;
}

/** What a call is answered with instead. */
export type FakeDeploymentsFault = 'away' | 'breaks' | 'loses_answer' | 'rate_limited';

/** GitHub's side of deployments: its API over HTTP for one App that is installed everywhere, with its limits. */
export interface FakeGitHubDeployments {
  readonly apiUrl: string;
  readonly appId: number;
  readonly privateKey: string;
  readonly deployments: readonly FakeDeployment[];
  readonly checks: readonly FakeGroupCheck[];
  /** Every limit that was broken, and every call that was wrong; a test takes out what it meant to break. */
  readonly complaints: string[];
  /** Asked at each call with its route, such as `POST deployments`. */
  fault: (route: string) => FakeDeploymentsFault | null;
  /** A job begins to wait. */
  readonly wait: (run: number, environment: string) => FakeWaitingJob;
  /** Heads of pull requests, by their number. */
  readonly pulls: Map<number, string>;
  readonly close: () => Promise<void>;
}

interface State {
  readonly deployments: FakeDeployment[];
  readonly checks: FakeGroupCheck[];
  readonly jobs: FakeWaitingJob[];
  readonly pulls: Map<number, string>;
  readonly complaints: string[];
  readonly tokens: Set<string>;
}

type Answer = { readonly status: number; readonly body: unknown };

interface Call {
  readonly state: State;
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** As GitHub documents them. */
const reportsMax = 10;
const reportLettersMax = 1_024;
const descriptionLettersMax = 140;
const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'];

/** Starts it. Close it in `afterAll`. */
export async function startFakeGitHubDeployments(): Promise<FakeGitHubDeployments> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const state: State = {
    ...{ deployments: [], checks: [], jobs: [], pulls: new Map<number, string>() },
    ...{ complaints: [], tokens: new Set<string>() },
  };
  const server = createServer((request, response) => {
    answered(state, fake, { request, response }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const { deployments, checks, complaints, pulls } = state;
  const fake: FakeGitHubDeployments = {
    ...{ apiUrl: `http://127.0.0.1:${address.port}`, appId: 77, deployments, checks, complaints, pulls },
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    fault: () => null,
    wait: (run, environment) => {
      const job: FakeWaitingJob = { run, environment, reports: [], answer: null };
      state.jobs.push(job);
      return job;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

async function answered(
  state: State,
  fake: FakeGitHubDeployments,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://fake');
  const body = await buffer(request);
  const fields = body.length === 0 ? {} : (JSON.parse(body.toString()) as Call['fields']);
  const path = pathname.replace(/^\/repos\/[^/]+\/[^/]+\//, '');
  for (const [method, pattern, name, answer] of routes) {
    const ids = method === request.method ? pattern.exec(path) : null;
    if (ids === null) continue;
    const fault = fake.fault(name);
    if (fault === 'away') return void response.destroy();
    if (fault === 'breaks') return void response.writeHead(502).end('<html>');
    if (fault === 'rate_limited') return sent(response.setHeader('retry-after', '1'), { status: 429, body: {} });
    const told = isAllowed(state, name, request)
      ? answer({ state, ids: ids.slice(1), query, fields })
      : nobody(state, name);
    if (fault === 'loses_answer') return void response.destroy();
    return sent(response, told);
  }
  state.complaints.push(`${request.method} ${path}`);
  sent(response, notFound);
}

function isAllowed({ tokens }: State, name: string, { headers }: IncomingMessage): boolean {
  const given = headers.authorization?.replace(/^(token|bearer) /i, '') ?? '';
  return name === 'installation' || name === 'token' ? given.split('.').length === 3 : tokens.has(given);
}

function nobody({ complaints }: State, name: string): Answer {
  complaints.push(`${name} without a good token`);
  return { status: 401, body: { message: 'Bad credentials' } };
}

function sent(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'x-ratelimit-remaining': '4999' });
  response.end(body === null ? '' : JSON.stringify(body));
}

const notFound: Answer = { status: 404, body: { message: 'Not Found' } };

function invalid({ complaints }: State, complaint: string): Answer {
  complaints.push(complaint);
  return { status: 422, body: { message: complaint } };
}

type Route = readonly [method: string, pattern: RegExp, name: string, answer: (call: Call) => Answer];

const routes: readonly Route[] = [
  ['GET', /^installation$/, 'installation', () => ({ status: 200, body: { id: 1, app_id: 77 } })],
  [
    'POST',
    /^\/app\/installations\/1\/access_tokens$/,
    'token',
    ({ state }) => {
      const token = `ghs_${randomBytes(18).toString('hex')}`;
      state.tokens.add(token);
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      return { status: 201, body: { token, expires_at, permissions: { deployments: 'write', checks: 'write' } } };
    },
  ],
  ['POST', /^deployments$/, 'POST deployments', createDeployment],
  [
    'GET',
    /^deployments$/,
    'GET deployments',
    ({ state, query }) => {
      const found = state.deployments.filter(({ commit }) => commit === query.get('sha'));
      return { status: 200, body: found.toReversed().map(deploymentJson) };
    },
  ],
  ['POST', /^deployments\/(\d+)\/statuses$/, 'POST statuses', addStatus],
  [
    'DELETE',
    /^deployments\/(\d+)$/,
    'DELETE deployments',
    ({ state, ids: [id] }) => {
      const at = state.deployments.findIndex((one) => one.id === Number(id));
      if (at === -1) return notFound;
      if (state.deployments[at]?.statuses.at(-1)?.state !== 'inactive')
        return invalid(state, 'deletes an active deployment');
      state.deployments.splice(at, 1);
      return { status: 204, body: null };
    },
  ],
  ['POST', /^actions\/runs\/(\d+)\/deployment_protection_rule$/, 'POST rule', answerJob],
  [
    'GET',
    /^pulls\/(\d+)$/,
    'GET pull',
    ({ state, ids: [number] }) => {
      const sha = state.pulls.get(Number(number));
      return sha === undefined ? notFound : { status: 200, body: { number: Number(number), head: { sha } } };
    },
  ],
  [
    'POST',
    /^check-runs$/,
    'POST check-runs',
    ({ state, fields }) => {
      const { summary = '' } = (fields['output'] ?? {}) as { readonly summary?: string };
      const [name, headSha, conclusion] = ['name', 'head_sha', 'conclusion'].map((field) => String(fields[field]));
      state.checks.push({ name: name ?? '', headSha: headSha ?? '', conclusion: conclusion ?? '', summary });
      return { status: 201, body: { id: state.checks.length } };
    },
  ],
  [
    'GET',
    /^commits\/[0-9a-f]+\/check-runs$/,
    'GET check-runs',
    () => ({ status: 200, body: { total_count: 0, check_runs: [] } }),
  ],
  ['GET', /^commits\/[0-9a-f]+\/pulls$/, 'GET commit pulls', () => ({ status: 200, body: [] })],
];

/** With the defaults GitHub would merge the default branch into the commit, or wait for every check of it. */
function createDeployment({ state, fields }: Call): Answer {
  const { ref, environment, payload, auto_merge: merges, required_contexts: contexts } = fields;
  if (merges !== false || !Array.isArray(contexts) || contexts.length > 0)
    return invalid(state, 'a deployment that merges, or that waits for checks');
  if (String(environment).length > 255) return invalid(state, 'an environment of too many letters');
  const made: FakeDeployment = {
    ...{ id: 100 + state.deployments.length, commit: String(ref), environment: String(environment) },
    ...{ payload: payload as FakeDeployment['payload'], statuses: [] },
  };
  state.deployments.push(made);
  return { status: 201, body: deploymentJson(made) };
}

function deploymentJson({ id, commit, environment, payload }: FakeDeployment): Partial<Schemas['deployment']> {
  return { id, sha: commit, ref: commit, environment, payload };
}

function addStatus({ state, ids: [id], fields }: Call): Answer {
  const found = state.deployments.find((one) => one.id === Number(id));
  if (found === undefined) return notFound;
  const { state: status, description = '', log_url: logUrl = '', auto_inactive: isLast = true } = fields;
  if (!states.includes(String(status))) return invalid(state, `state ${String(status)}`);
  if (String(description).length > descriptionLettersMax) return invalid(state, 'a description of too many letters');
  found.statuses.push({ state: String(status), description: String(description), logUrl: String(logUrl) });
  const others = state.deployments.filter((one) => one !== found && one.environment === found.environment);
  const taken = { state: 'inactive', description: '', logUrl: '' };
  if (status === 'success' && isLast)
    for (const other of others) if (other.statuses.at(-1)?.state === 'success') other.statuses.push(taken);
  return { status: 201, body: { id: 1, state: status } };
}

/** Ten reports of 1,024 letters and one answer, for the job that waits and for no other. */
function answerJob({ state, ids: [run], fields }: Call): Answer {
  const job = state.jobs.find((one) => one.run === Number(run) && one.environment === fields['environment_name']);
  if (job === undefined) return notFound;
  const comment = String(fields['comment'] ?? '');
  if (job.answer !== null) return invalid(state, 'an answer after the answer');
  if (comment.length > reportLettersMax) return invalid(state, 'a report of too many letters');
  const { state: verdict } = fields;
  if (verdict === 'approved' || verdict === 'rejected') {
    job.answer = { state: verdict, comment };
    return { status: 204, body: null };
  }
  if (verdict !== undefined) return invalid(state, `state ${String(verdict)}`);
  if (job.reports.length >= reportsMax) return invalid(state, 'too many reports');
  job.reports.push(comment);
  return { status: 200, body: { status: 'ok' } };
}
