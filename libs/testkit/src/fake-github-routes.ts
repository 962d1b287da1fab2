import { randomBytes, verify } from 'node:crypto';
import type { components } from '@octokit/openapi-types/types.d.ts';
import type {
  FakeCheckRun,
  FakeGitHubAnswer,
  FakeGitHubCall,
  FakeGitHubNote,
  FakeGitHubState,
  FakePullRequest,
} from './fake-github-app.ts';
import { deploymentRoutes } from './fake-github-deployments.ts';
import { checkComplaints, commentComplaints, textIn } from './fake-github-limits.ts';

/** Some of what GitHub promises to answer with, each field as it describes it. */
export type Part<Whole> = Whole extends readonly (infer Item)[]
  ? readonly Part<Item>[]
  : Whole extends object
    ? { readonly [Name in keyof Whole]?: Part<Whole[Name]> }
    : Whole;

type Schemas = components['schemas'];
/** What a call is answered. */
export type Answered = Awaited<ReturnType<FakeGitHubAnswer['send']>>;

const notFound: Answered = { status: 404, body: { message: 'Not Found', status: '404' } };

/** The routes of an App; what they do not know is asked of the fake that has the contents. */
export function openAppRoutes(state: FakeGitHubState, contentsUrl: string): (call: FakeGitHubCall) => FakeGitHubAnswer {
  return (call) => {
    const [, owner, repo, rest = ''] = /^\/repos\/([^/]+)\/([^/]+)\/(.+)$/.exec(call.path) ?? [];
    const repository = nameIn(state, `${owner}/${repo}`);
    for (const { method, pattern, name, answer } of routes) {
      const ids = method === call.method ? pattern.exec(owner === undefined ? call.path : rest) : null;
      if (ids === null) continue;
      state.calls.push(name);
      const send = async (): Promise<Answered> => {
        const isAllowed = name === 'installation' || name === 'token' ? isApp(state, call) : isInstalled(state, call);
        return isAllowed ? answer(state, { ...call, repository, ids: ids.slice(1) }) : unauthorised(state, name);
      };
      return { route: name, send };
    }
    const path = owner === undefined ? call.path : `/repos/${repository}/${rest}`;
    return { route: 'contents', send: () => forwarded({ ...call, path }, contentsUrl) };
  };
}

function unauthorised(state: FakeGitHubState, name: string): Answered {
  state.complaints.push(`${name} without a good token`);
  return { status: 401, body: { message: 'Bad credentials' } };
}

/** GitHub takes names in any case. */
function nameIn({ repositories }: FakeGitHubState, named: string): string {
  return Object.keys(repositories).find((known) => known.toLowerCase() === named.toLowerCase()) ?? named;
}

async function forwarded({ method, path, query }: FakeGitHubCall, contentsUrl: string): Promise<Answered> {
  const answer = await fetch(`${contentsUrl}${path}?${query.toString()}`, { method, redirect: 'manual' });
  const text = await answer.text();
  const location = answer.headers.get('location');
  const body: unknown = text === '' ? null : JSON.parse(text);
  return { status: answer.status, body, ...(location === null ? {} : { location }) };
}

/** A JWT of the App, as it signs itself: RS256, for ten minutes at most. */
function isApp({ appId, publicKey }: FakeGitHubState, { authorization }: FakeGitHubCall): boolean {
  const [head = '', claims = '', signature = ''] = authorization.replace(/^bearer /i, '').split('.');
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString() || '{}') as Record<string, unknown>;
  const { alg } = read(head);
  const { iss, iat, exp } = read(claims);
  const now = Date.now() / 1_000;
  const isTimely = Number(exp) > now && Number(exp) - Number(iat) <= 600 && Number(iat) <= now;
  const isGood = verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
  return alg === 'RS256' && String(iss) === String(appId) && isTimely && isGood;
}

function isInstalled({ tokens }: FakeGitHubState, { authorization }: FakeGitHubCall): boolean {
  return tokens.has(authorization.replace(/^(token|bearer) /i, ''));
}

/** A call of the App, with its repository as that is spelt and the numbers of its path. */
export interface Asked extends FakeGitHubCall {
  readonly repository: string;
  readonly ids: readonly string[];
}

/** One route, and how faults and tests call it. */
export interface AppRoute {
  readonly method: string;
  readonly pattern: RegExp;
  readonly name: string;
  readonly answer: (state: FakeGitHubState, asked: Asked) => Answered;
}

function route(method: string, pattern: RegExp, name: string, answer: AppRoute['answer']): AppRoute {
  return { method, pattern, name, answer };
}

const routes: readonly AppRoute[] = [
  ...deploymentRoutes,
  route('GET', /^installation$/, 'installation', ({ uninstalled }, { repository }) =>
    uninstalled.has(repository) ? notFound : ok({ id: 1, app_id: 77 } satisfies Part<Schemas['installation']>),
  ),
  route('POST', /^\/app\/installations\/1\/access_tokens$/, 'token', (state) => {
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    state.tokens.add(token);
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const permissions = { checks: 'write', issues: 'write', pull_requests: 'write' } as const;
    return ok({ token, expires_at, permissions } satisfies Part<Schemas['installation-token']>, 201);
  }),
  route('POST', /^check-runs$/, 'POST check-runs', postCheck),
  route('PATCH', /^check-runs\/(\d+)$/, 'PATCH check-runs', patchCheck),
  route('GET', /^commits\/([0-9a-f]+)\/check-runs$/, 'GET check-runs', ({ checks }, { repository, ids: [sha] }) => {
    const found = checks.filter((check) => check.repository === repository && check.headSha === sha);
    return ok({ total_count: found.length, check_runs: found.map(checkJson) });
  }),
  route('GET', /^commits\/([0-9a-f]+)\/pulls$/, 'GET commit pulls', ({ pulls }, { repository, ids: [sha] }) => {
    const pull = pulls.get(repository);
    const isOf = pull !== undefined && (pull.head === sha || pull.mergedAs === sha);
    return ok(isOf ? [simplePullJson(pull)] : []);
  }),
  route('GET', /^pulls\/(\d+)$/, 'GET pull', ({ pulls }, { repository, ids: [number] }) => {
    const pull = pulls.get(repository);
    return pull?.number === Number(number) ? ok(pullJson(pull)) : notFound;
  }),
  route('GET', /^issues\/(\d+)\/comments$/, 'GET comments', ({ notes }, { repository, ids: [number], query }) => {
    const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? 30)];
    const found = notes.filter((note) => note.repository === repository && note.pull === Number(number));
    return ok(found.slice((page - 1) * size, page * size).map(noteJson));
  }),
  route('POST', /^issues\/(\d+)\/comments$/, 'POST comments', (state, { repository, ids: [number], fields }) =>
    postNote(state, { repository, pull: Number(number), commit: null, body: String(fields['body']) }),
  ),
  route('POST', /^commits\/([0-9a-f]+)\/comments$/, 'POST commit comments', (state, { repository, ids, fields }) =>
    postNote(state, { repository, pull: null, commit: ids[0] ?? '', body: String(fields['body']) }),
  ),
  route('GET', /^issues\/comments\/(\d+)$/, 'GET comment', ({ notes }, { ids: [id] }) => {
    const note = notes.find((one) => one.id === Number(id));
    return note === undefined ? notFound : ok(noteJson(note));
  }),
  route('PATCH', /^issues\/comments\/(\d+)$/, 'PATCH comments', patchNote),
  route('DELETE', /^issues\/comments\/(\d+)$/, 'DELETE comments', ({ notes }, { ids: [id] }) => {
    const at = notes.findIndex((one) => one.id === Number(id));
    if (at === -1) return notFound;
    notes.splice(at, 1);
    return { status: 204, body: null };
  }),
  route(
    'POST',
    /^issues\/comments\/(\d+)\/reactions$/,
    'POST reactions',
    ({ notes, drawId }, { ids: [id], fields }) => {
      const note = notes.find((one) => one.id === Number(id));
      if (note === undefined) return notFound;
      note.reactions.push(String(fields['content']));
      return ok({ id: drawId(), content: 'eyes' } satisfies Part<Schemas['reaction']>, 201);
    },
  ),
];

function ok(body: unknown, status = 200): Answered {
  return { status, body };
}

function invalid(state: FakeGitHubState, complaints: readonly string[]): Answered {
  state.complaints.push(...complaints);
  return { status: 422, body: { message: `Invalid request. ${complaints.join(', ')}` } };
}

function postCheck(state: FakeGitHubState, { repository, fields }: Asked): Answered {
  const complaints = checkComplaints(fields);
  const isKnown = state.repositories[repository]?.commits.some(({ sha }) => sha === fields['head_sha']) === true;
  if (complaints.length > 0 || !isKnown) return invalid(state, isKnown ? complaints : ['No commit found for SHA']);
  const externalId = textIn(fields, 'external_id');
  const check: FakeCheckRun = {
    ...{ id: state.drawId(), repository, headSha: String(fields['head_sha']), externalId },
    ...{ name: '', status: 'queued', conclusion: null, title: '', summary: '', actions: [], drawn: [], offers: [] },
    detailsUrl: null,
  };
  write(check, fields);
  state.checks.push(check);
  return ok(checkJson(check), 201);
}

function patchCheck(state: FakeGitHubState, { ids: [id], fields }: Asked): Answered {
  const check = state.checks.find((one) => one.id === Number(id));
  if (check === undefined) return notFound;
  const complaints = checkComplaints({ name: check.name, head_sha: check.headSha, ...fields });
  if (complaints.length > 0) return invalid(state, complaints);
  write(check, fields);
  return ok(checkJson(check));
}

function write(check: FakeCheckRun, fields: Asked['fields']): void {
  const { title, summary } = (fields['output'] ?? {}) as { title?: string; summary?: string };
  const conclusion = textIn(fields, 'conclusion');
  Object.assign(check, {
    ...{ name: textIn(fields, 'name') ?? check.name, detailsUrl: textIn(fields, 'details_url') ?? check.detailsUrl },
    ...{ status: conclusion === null ? (textIn(fields, 'status') ?? check.status) : 'completed', conclusion },
    ...{ title: title ?? check.title, summary: summary ?? check.summary, actions: fields['actions'] ?? check.actions },
  });
  check.offers.push({ at: Date.now(), actions: check.actions });
  check.drawn.push(...check.actions);
}

function checkJson(check: FakeCheckRun): Part<Schemas['check-run']> {
  return {
    ...{ id: check.id, head_sha: check.headSha, external_id: check.externalId, name: check.name },
    ...{ status: check.status as 'completed', conclusion: check.conclusion as 'success' | null },
    ...{ details_url: check.detailsUrl, output: { title: check.title, summary: check.summary } },
  };
}

function simplePullJson(pull: FakePullRequest): Part<Schemas['pull-request-simple']> {
  const merged_at = pull.mergedAs === null ? null : '2026-01-01T00:00:00Z';
  const { number, state, head, mergedAs: merge_commit_sha } = pull;
  return { number, state, head: { sha: head }, merged_at, merge_commit_sha };
}

function pullJson(pull: FakePullRequest): Part<Schemas['pull-request']> {
  const { number, state, head, mergedAs: merge_commit_sha, isFork } = pull;
  const [base, own] = [{ repo: { id: 1 } }, { sha: head, repo: { id: isFork ? 2 : 1 } }];
  return { number, state, head: own, base, merged: merge_commit_sha !== null, merge_commit_sha };
}

function postNote(
  state: FakeGitHubState,
  note: Pick<FakeGitHubNote, 'repository' | 'pull' | 'commit' | 'body'>,
): Answered {
  const complaints = commentComplaints(note.body);
  if (complaints.length > 0) return invalid(state, complaints);
  const createdAt = Date.now();
  const made: FakeGitHubNote = {
    ...{ ...note, id: state.drawId(), app: state.appId, user: 1, createdAt },
    ...{ bodies: [note.body], times: [createdAt], reactions: [] },
  };
  state.notes.push(made);
  return ok(noteJson(made), 201);
}

function patchNote(state: FakeGitHubState, { ids: [id], fields }: Asked): Answered {
  const note = state.notes.find((one) => one.id === Number(id));
  if (note === undefined) return notFound;
  const body = String(fields['body']);
  const complaints = commentComplaints(body);
  if (complaints.length > 0) return invalid(state, complaints);
  note.body = body;
  note.bodies.push(body);
  note.times.push(Date.now());
  return ok(noteJson(note));
}

function noteJson({ id, body, app, createdAt, repository, pull }: FakeGitHubNote): Part<Schemas['issue-comment']> {
  return {
    ...{ id, body, created_at: new Date(createdAt).toISOString() },
    issue_url: `https://api.github.com/repos/${repository}/issues/${pull ?? 0}`,
    performed_via_github_app: app === null ? null : { id: app },
  };
}
