import { type KeyObject, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { openAppRoutes } from './fake-github-routes.ts';
import type { FakeDeployment, FakeWaitingJob } from './fake-github-deployments.ts';
import { type FakeGitHubDeed, type FakeGitHubMember, deedOf, openGitHubMembers } from './fake-github-member.ts';
import { type FakeGitHub, type FakeGitHubCommit, startFakeGitHub } from './fake-github.ts';

/** A check run as it stands; `drawn` is all that it ever offered to press, and `offers` what it did at which moment. */
export interface FakeCheckRun {
  readonly id: number;
  readonly repository: string;
  readonly headSha: string;
  readonly externalId: string | null;
  name: string;
  status: string;
  conclusion: string | null;
  title: string;
  summary: string;
  actions: readonly FakeCheckAction[];
  readonly drawn: FakeCheckAction[];
  readonly offers: { readonly at: number; readonly actions: readonly FakeCheckAction[] }[];
  detailsUrl: string | null;
}

/** What can be pressed on a check run. */
export interface FakeCheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

/** A comment on a pull request, or at a commit when `pull` is null. */
export interface FakeGitHubNote {
  readonly id: number;
  readonly repository: string;
  readonly pull: number | null;
  readonly commit: string | null;
  /** The App that wrote it; null: a person. */
  readonly app: number | null;
  readonly user: number;
  readonly createdAt: number;
  body: string;
  readonly bodies: string[];
  /** When each of the bodies was written. */
  readonly times: number[];
  readonly reactions: string[];
}

/** A pull request as far as anybody looks. */
export interface FakePullRequest {
  readonly number: number;
  head: string;
  state: 'open' | 'closed';
  mergedAs: string | null;
  /** Its head is in somebody's own copy of the repository. */
  isFork: boolean;
}

/** What a call is answered with instead: nothing at all, too often, broken before or after it was done. */
export type FakeGitHubAppFault =
  | { readonly kind: 'away' | 'breaks' | 'breaks_after' | 'loses_answer' }
  | { readonly kind: 'rate_limited'; readonly status: 403 | 429; readonly retryAfterSeconds: number }
  | { readonly kind: 'error'; readonly status: number }
  /** As it should be, but not before then. */
  | { readonly kind: 'late'; readonly until: Promise<unknown> };

/** GitHub with one App installed everywhere: its API over HTTP, and people who press and write, signed as GitHub signs. */
export interface FakeGitHubApp {
  readonly apiUrl: string;
  readonly appId: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  /** Where GitHub sends what happens; set when it is known. */
  eventsUrl: string;
  /** Asked at each call with its route, such as `POST check-runs`, and with what was sent. */
  fault: (route: string, said: string) => FakeGitHubAppFault | null;
  readonly checks: readonly FakeCheckRun[];
  readonly notes: readonly FakeGitHubNote[];
  readonly deployments: readonly FakeDeployment[];
  readonly calls: readonly string[];
  /** Every limit that was broken, and every call that was wrong; a test takes out what it meant to break. */
  readonly complaints: string[];
  /** Profiles by login: what people put into them shows whose account it is. */
  readonly profiles: FakeGitHub['profiles'];
  /** Repositories that the App is not installed for. */
  readonly uninstalled: Set<string>;
  /** A new commit at the head of a pull request, or on no branch that anybody asks to merge; its author may have an account. */
  readonly push: (repository: string, files: FakeGitHubCommit['files'], how?: Pushing) => string;
  readonly pull: (repository: string) => FakePullRequest;
  readonly member: (user: number) => FakeGitHubMember;
  /** A deploy job begins to wait at a protection rule of the App. */
  readonly wait: (job: Pick<FakeWaitingJob, 'repository' | 'run' | 'environment'>) => FakeWaitingJob;
  /** Something happens that nobody presses or writes. */
  readonly happens: (event: string, payload: object) => FakeGitHubDeed;
  /** Takes away what somebody has deleted, or what a long test is done with. */
  readonly forget: (gone: readonly (FakeCheckRun | FakeGitHubNote)[]) => void;
  readonly close: () => Promise<void>;
}

/** How a commit comes about. */
export interface Pushing {
  readonly to?: 'pull' | 'nowhere';
  readonly account?: number;
}

/** All that the fake remembers. */
export interface FakeGitHubState {
  readonly appId: number;
  readonly publicKey: KeyObject;
  readonly webhookSecret: string;
  readonly tokens: Set<string>;
  eventsUrl: string;
  readonly checks: FakeCheckRun[];
  readonly notes: FakeGitHubNote[];
  /** Answers that were read by whom they are for. */
  readonly taken: Set<number>;
  readonly deployments: FakeDeployment[];
  readonly jobs: FakeWaitingJob[];
  readonly pulls: Map<string, FakePullRequest>;
  readonly repositories: Record<string, { readonly commits: FakeGitHubCommit[] }>;
  readonly uninstalled: Set<string>;
  readonly calls: string[];
  readonly complaints: string[];
  readonly drawId: () => number;
}

const bodyBytesMax = 1_048_576;

/** By the deployment that they send to. */
const githubs = new Map<string, FakeGitHubApp>();

/** The GitHub whose people a deployment hears. */
export function githubOf(apiUrl: string): FakeGitHubApp {
  const found = githubs.get(new URL(apiUrl).origin);
  if (found === undefined) throw new Error('expected a deployment with a GitHub App, got one without');
  return found;
}

/** Starts it. Close it in `afterAll`. */
export async function startFakeGitHubApp(): Promise<FakeGitHubApp> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  let [lastId, commits] = [1_000, 0];
  const state: FakeGitHubState = {
    ...{ appId: 77, publicKey, webhookSecret: randomBytes(16).toString('hex'), tokens: new Set<string>() },
    ...{
      eventsUrl: '',
      checks: [],
      notes: [],
      taken: new Set<number>(),
      deployments: [],
      jobs: [],
      pulls: new Map(),
      repositories: {},
      uninstalled: new Set<string>(),
    },
    ...{ calls: [], complaints: [], drawId: () => (lastId += 1) },
  };
  const contents = await startFakeGitHub(state.repositories);
  const faults: Pick<FakeGitHubApp, 'fault'> = { fault: () => null };
  const answer = openAppRoutes(state, contents.baseUrl);
  const server = createServer((request, response) => {
    answered(answer, (route, said) => faults.fault(route, said), { request, response }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const { checks, notes, deployments, calls, complaints, uninstalled, appId, webhookSecret } = state;
  const fake: FakeGitHubApp = {
    ...{ apiUrl: `http://127.0.0.1:${address.port}`, appId, webhookSecret, checks, notes, deployments },
    ...{ calls, complaints },
    // As GitHub hands it out.
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    ...{ profiles: contents.profiles, uninstalled, member: openGitHubMembers(state) },
    wait: (of) => {
      const job: FakeWaitingJob = { ...of, reports: [], answer: null };
      state.jobs.push(job);
      return job;
    },
    happens: (event, payload) => deedOf(state, { event, payload, note: null }),
    get eventsUrl() {
      return state.eventsUrl;
    },
    set eventsUrl(url) {
      state.eventsUrl = url;
      githubs.set(new URL(url).origin, fake);
    },
    get fault() {
      return faults.fault;
    },
    set fault(one) {
      faults.fault = one;
    },
    push: (repository, files, how = {}) => pushed(state, { ...how, repository, files, count: (commits += 1) }),
    pull: (repository) => pullOf(state, repository),
    forget: (gone) => {
      const ids = new Set(gone.map(({ id }) => id));
      checks.splice(0, checks.length, ...checks.filter(({ id }) => !ids.has(id)));
      notes.splice(0, notes.length, ...notes.filter(({ id }) => !ids.has(id)));
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await Promise.all([once(server, 'close'), contents.close()]);
    },
  };
  return fake;
}

interface Push extends Pushing {
  readonly repository: string;
  readonly files: FakeGitHubCommit['files'];
  readonly count: number;
}

function pushed(state: FakeGitHubState, { repository, files, to, account, count }: Push): string {
  const sha = count.toString(16).padStart(8, '0') + randomBytes(16).toString('hex');
  // An address that is nobody's here: whoever a commit names has no vote on it.
  const writer = { name: '@everyone **PASSED**', email: `writer-${count}@example.org` };
  const author = account === undefined ? writer : { ...writer, account: { login: 'writer', id: account } };
  const known = (state.repositories[repository] ??= { commits: [] });
  known.commits.push({ sha, message: 'a change', files, author });
  if (to === 'nowhere') return sha;
  const pull = state.pulls.get(repository);
  if (pull === undefined)
    state.pulls.set(repository, { number: 1, head: sha, state: 'open', mergedAs: null, isFork: false });
  else pull.head = sha;
  return sha;
}

function pullOf({ pulls }: FakeGitHubState, repository: string): FakePullRequest {
  const found = pulls.get(repository);
  if (found === undefined) throw new Error(`expected a pull request of ${repository}`);
  return found;
}

/** What the App asked for, and what it is answered. */
export interface FakeGitHubCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An answer, ready to be sent; `route` is how faults and tests call it. */
export interface FakeGitHubAnswer {
  readonly route: string;
  readonly send: () => Promise<{ readonly status: number; readonly body: unknown; readonly location?: string }>;
}

async function answered(
  answer: (call: FakeGitHubCall) => FakeGitHubAnswer,
  faultOf: FakeGitHubApp['fault'],
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://fake');
  const body = await buffer(request);
  if (body.length > bodyBytesMax) return void response.writeHead(413).end();
  const { route, send } = answer({
    ...{ method: request.method ?? 'GET', path, query, authorization: request.headers.authorization ?? '' },
    fields: body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>),
  });
  const fault = faultOf(route, body.toString());
  if (fault?.kind === 'away') return void response.destroy();
  if (fault?.kind === 'rate_limited') {
    response.setHeader('retry-after', String(fault.retryAfterSeconds));
    return sent(response, { status: fault.status, body: { message: 'You have exceeded a secondary rate limit.' } });
  }
  if (fault?.kind === 'breaks') return void response.writeHead(502).end('<html>');
  if (fault?.kind === 'error') return sent(response, { status: fault.status, body: { message: 'no' } });
  if (fault?.kind === 'late') await fault.until;
  const told = await send();
  if (fault?.kind === 'breaks_after') return void response.writeHead(500).end('{}');
  if (fault?.kind === 'loses_answer') return void response.destroy();
  sent(response, told);
}

function sent(response: ServerResponse, told: { status: number; body: unknown; location?: string }): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'x-ratelimit-remaining': '4999' };
  response.writeHead(told.status, told.location === undefined ? headers : { ...headers, location: told.location });
  response.end(told.body === null ? '' : JSON.stringify(told.body));
}
