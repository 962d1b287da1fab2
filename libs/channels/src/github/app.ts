import { createAppAuth } from '@octokit/auth-app';
import { request } from '@octokit/request';
import { RequestError } from '@octokit/request-error';
import { OutletFailure } from '../outlet.ts';
import { wholeAnswer } from '../whole-answer.ts';

/** A GitHub App, and where its API is. The key is in no message and no log. */
export interface GitHubAppAccess {
  readonly apiUrl: string;
  readonly appId: string;
  /** As GitHub hands it out, in PEM. */
  readonly privateKey: string;
}

/** Asks GitHub; routes and their parameters are typed by its own description. */
export type GitHubRequest = typeof request;

/** An App as whoever speaks for it needs it. */
export interface GitHubApp {
  readonly appId: number;
  /**
   * Does something as the installation that has this repository (`owner/name`), with a token of its own that is fetched
   * and renewed when it has to be. Whatever goes wrong is an `OutletFailure`; nothing is tried twice here, since only
   * the caller knows what has become moot meanwhile.
   */
  readonly call: <Answer>(repository: string, work: (ask: GitHubRequest) => Promise<Answer>) => Promise<Answer>;
}

/** GitHub itself gives up after ten seconds. */
const callMsMax = 10_000;

/** A repository that was renamed and moved answers under its number. */
const redirectsMax = 3;

/** Repositories whose installation is remembered, and for how long: an App that is moved is found again within this. */
const repositoriesMax = 1_000;
const rememberedMs = 10 * 60_000;

/** Without a word about when to come back, GitHub's own advice for its secondary limits. */
const limitedMs = 60_000;

/** Opens the App. Nothing is asked until somebody calls. */
export function openGitHubApp({ apiUrl, appId, privateKey }: GitHubAppAccess, now: () => number): GitHubApp {
  const base = request.defaults({
    baseUrl: apiUrl.replace(/\/$/, ''),
    headers: { 'user-agent': 'proviso', 'x-github-api-version': '2022-11-28' },
    request: { fetch: bounded },
  });
  const auth = createAppAuth({ appId, privateKey: keyOf(privateKey), request: base, log: silent });
  const asApp = base.defaults({ request: { hook: auth.hook } });
  const installations = new Map<string, { readonly id: number; readonly at: number }>();
  const asInstallation = new Map<number, GitHubRequest>();

  async function installationOf(repository: string): Promise<number> {
    const known = installations.get(repository);
    if (known !== undefined && now() - known.at < rememberedMs) return known.id;
    const [owner = '', repo = ''] = repository.split('/');
    const { data } = await asApp('GET /repos/{owner}/{repo}/installation', { owner, repo }).catch((error: unknown) => {
      throw statusOf(error) === 404 ? new OutletFailure('not_installed', {}, error) : error;
    });
    const oldest = installations.keys().next();
    if (installations.size >= repositoriesMax && !oldest.done) installations.delete(oldest.value);
    const id = numberOf(data);
    installations.set(repository, { id, at: now() });
    return id;
  }

  function requestOf(installationId: number): GitHubRequest {
    const known = asInstallation.get(installationId);
    if (known !== undefined) return known;
    const one = createAppAuth({ appId, privateKey: keyOf(privateKey), installationId, request: base, log: silent });
    const made = base.defaults({ request: { hook: one.hook } });
    asInstallation.set(installationId, made);
    return made;
  }

  return {
    appId: Number(appId),
    call: async (repository, work) => {
      const name = repository.toLowerCase();
      try {
        return await work(requestOf(await installationOf(name)));
      } catch (error) {
        // The App may have been taken away and given back, under another number, or with other tokens under the same.
        const known = installations.get(name);
        if (known !== undefined && statusOf(error) === 401) asInstallation.delete(known.id);
        if ([401, 404].includes(statusOf(error) ?? 0)) installations.delete(name);
        throw failureOf(error, now());
      }
    },
  };
}

/** In the environment of a process line breaks are often written out. */
function keyOf(privateKey: string): string {
  return privateKey.replaceAll('\\n', '\n');
}

/** The number under which GitHub keeps what it has just made; whatever else it answers, it may have made it. */
export function numberOf({ id }: { readonly id: number | bigint }): number {
  const number = Number(id);
  if (!Number.isSafeInteger(number) || number < 1) throw new OutletFailure('unreadable', { uncertain: true });
  return number;
}

/** Sends a request as it is to wherever GitHub says that it belongs, and nowhere but to GitHub itself. */
async function bounded(url: string, options: RequestInit): Promise<Response> {
  const signal = AbortSignal.timeout(callMsMax);
  let address = new URL(url);
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const answer = await fetch(address, { ...options, redirect: 'manual', signal });
    if (answer.status < 300 || answer.status >= 400 || answer.status === 304) return await wholeAnswer(answer);
    await answer.body?.cancel();
    const next = URL.parse(answer.headers.get('location') ?? '', address.href);
    if (next?.origin !== address.origin) throw new Error('expected an answer of GitHub, got a way elsewhere');
    address = next;
  }
  throw new Error(`expected at most ${redirectsMax} redirects, got more`);
}

function statusOf(error: unknown): number | null {
  return error instanceof RequestError ? error.status : null;
}

/** What GitHub's answer changes about what is done next. */
function failureOf(error: unknown, nowMs: number): OutletFailure {
  if (error instanceof OutletFailure) return error;
  if (!(error instanceof RequestError) || error.response === undefined)
    return new OutletFailure('unreachable', { uncertain: true }, error);
  const { status } = error;
  const retryAfterMs = comeBackAfter(error, nowMs);
  if (retryAfterMs !== null) return new OutletFailure('rate_limited', { retryAfterMs }, error);
  if (status >= 500) return new OutletFailure(`status_${status}`, { uncertain: true }, error);
  if (status === 401) return new OutletFailure('bad_credentials', {}, error);
  if (status === 403) return new OutletFailure('not_permitted', {}, error);
  // Somebody deleted it, locked it, or what we sent is our own mistake: trying again changes nothing.
  return new OutletFailure(
    status === 404 || status === 410 ? 'not_found' : `status_${status}`,
    { permanent: true },
    error,
  );
}

/** Both limits of GitHub: the one by the hour, and the secondary one against bursts. Null: it was neither. */
function comeBackAfter({ status, response, message }: RequestError, nowMs: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const headers = response?.headers ?? {};
  const seconds = Number(headers['retry-after']);
  if (headers['retry-after'] !== undefined && Number.isFinite(seconds)) return seconds * 1_000;
  if (headers['x-ratelimit-remaining'] === '0') return (Number(headers['x-ratelimit-reset']) || 0) * 1_000 - nowMs;
  return status === 429 || /secondary rate limit/i.test(message) ? limitedMs : null;
}

const nothing = (): void => undefined;
/** It logs tries of its own when asked to; nobody asks. */
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
