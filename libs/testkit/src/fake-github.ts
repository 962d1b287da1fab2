import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { tarOf } from './tarball.ts';

/** A commit that the fake knows, with the tree that its tarball has. */
export type FakeGitHubCommit = {
  readonly sha: string;
  readonly message: string;
  readonly files: Readonly<Record<string, string>>;
  readonly author: FakeGitHubSignature;
  readonly committer?: FakeGitHubSignature;
};

/** Name and address are the commit's claim; the account is what GitHub found for the address, if anything. */
export type FakeGitHubSignature = {
  readonly name: string;
  readonly email: string;
  readonly account?: { readonly login: string; readonly id: number };
};

/** A repository; `references` are its branches and tags. A private one is 404 to everyone without its token. */
export type FakeGitHubRepository = {
  readonly commits: readonly FakeGitHubCommit[];
  readonly references?: Readonly<Record<string, string>>;
  readonly token?: string;
  /** Pushes and the like, newest first; without them the fake is a server that has no such list. */
  readonly activities?: readonly FakeGitHubActivity[];
};

/** One change of a branch, with the account that made it. */
export type FakeGitHubActivity = {
  readonly after: string;
  readonly activity_type: 'push' | 'force_push' | 'branch_creation' | 'pr_merge';
  readonly actor: { readonly login: string; readonly id: number };
};

/** What may go wrong, changed by the test while the server runs. */
export type FakeGitHubFault =
  | { readonly kind: 'rate_limit'; readonly headers: Readonly<Record<string, string>>; readonly status: 403 | 429 }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'silent_download' }
  | { readonly kind: 'cut_download' }
  | { readonly kind: 'endless_download' };

/** A running fake: the address of its API, what it was asked, and the switch for faults. */
export type FakeGitHub = {
  readonly baseUrl: string;
  readonly requests: readonly {
    readonly host: 'api' | 'codeload';
    readonly path: string;
    readonly authorized: boolean;
  }[];
  /** What stands in the public profile of an account, by its login; the test changes it while the server runs. */
  readonly profiles: Map<string, { readonly id: number; readonly bio: string | null }>;
  setFault(fault: FakeGitHubFault | undefined): void;
  /** Bytes of downloads that were really taken from us, to see that a client stopped reading. */
  downloadedBytes(): number;
  close(): Promise<void>;
};

type State = {
  readonly profiles: FakeGitHub['profiles'];
  readonly repositories: Readonly<Record<string, FakeGitHubRepository>>;
  readonly requests: { host: 'api' | 'codeload'; path: string; authorized: boolean }[];
  codeloadUrl: string;
  fault: FakeGitHubFault | undefined;
  downloadedBytes: number;
};

/**
 * GitHub's REST protocol over HTTP for repositories named `owner/name`: commits, and tarballs by a redirect to a second
 * server, as codeload is one, so that a client that leaks its token to another origin is caught.
 */
export async function startFakeGitHub(
  repositories: Readonly<Record<string, FakeGitHubRepository>>,
): Promise<FakeGitHub> {
  const profiles: FakeGitHub['profiles'] = new Map();
  const state: State = { profiles, repositories, requests: [], codeloadUrl: '', fault: undefined, downloadedBytes: 0 };
  const codeload = await listen((request, response) => answerDownload(state, request, response));
  state.codeloadUrl = codeload.url;
  const api = await listen((request, response) => answerApi(state, request, response));
  return {
    baseUrl: api.url,
    requests: state.requests,
    profiles,
    setFault(fault) {
      state.fault = fault;
    },
    downloadedBytes: () => state.downloadedBytes,
    async close() {
      await Promise.all([api.close(), codeload.close()]);
    },
  };
}

function answerApi(state: State, request: IncomingMessage, response: ServerResponse): void {
  const path = noteRequest(state, 'api', request);
  const { fault } = state;
  if (fault?.kind === 'rate_limit')
    return answerProblem(response, fault.status, 'API rate limit exceeded', fault.headers);
  if (fault?.kind === 'status') return answerProblem(response, fault.status, 'a fault');
  const login = /^\/users\/([^/]+)$/.exec(path)?.[1];
  if (login !== undefined) {
    const profile = state.profiles.get(login);
    return profile === undefined
      ? answerProblem(response, 404, 'Not Found')
      : answerJson(response, 200, { login, type: 'User', ...profile });
  }
  const activities = activitiesAt(state, request, path);
  if (activities !== undefined) return answerJson(response, 200, activities);
  const [, owner, name, kind, reference] = /^\/repos\/([^/]+)\/([^/]+)\/(commits|tarball)\/(.+)$/.exec(path) ?? [];
  const repository = state.repositories[`${owner}/${name}`];
  if (!repository || !isAllowed(repository, request)) return answerProblem(response, 404, 'Not Found');
  const commit = findCommit(repository, decodeURIComponent(reference ?? ''));
  if (!commit) return answerProblem(response, kind === 'commits' ? 422 : 404, `No commit found for SHA: ${reference}`);
  if (kind === 'commits') return answerJson(response, 200, commitJson(commit));
  const signature = repository.token === undefined ? '' : '?token=signed';
  const location = `${state.codeloadUrl}/${owner}/${name}/legacy.tar.gz/${commit.sha}${signature}`;
  response.writeHead(302, { location, 'content-type': 'text/html' }).end();
}

function activitiesAt(state: State, request: IncomingMessage, path: string): FakeGitHubRepository['activities'] {
  const repository = state.repositories[/^\/repos\/([^/]+\/[^/]+)\/activity$/.exec(path)?.[1] ?? ''];
  return repository !== undefined && isAllowed(repository, request) ? repository.activities : undefined;
}

function answerDownload(state: State, request: IncomingMessage, response: ServerResponse): void {
  const path = noteRequest(state, 'codeload', request);
  const [, owner, name, sha] = /^\/([^/]+)\/([^/]+)\/legacy\.tar\.gz\/([^/]+)$/.exec(path) ?? [];
  const repository = state.repositories[`${owner}/${name}`];
  const commit = repository?.commits.find((candidate) => candidate.sha === sha);
  const signed = repository?.token === undefined || (request.url ?? '').endsWith('?token=signed');
  if (!commit || !signed) return answerProblem(response, 404, 'Not Found');
  if (state.fault?.kind === 'silent_download') return;
  const tarball = tarballOf(`${owner}-${name}-${commit.sha.slice(0, 7)}`, commit);
  response.writeHead(200, { 'content-type': 'application/x-gzip', 'access-control-allow-origin': '*' });
  if (state.fault?.kind === 'endless_download') return sendEndlessly(state, response);
  if (state.fault?.kind === 'cut_download') {
    response.write(tarball.subarray(0, tarball.length / 2), () => response.destroy());
    return;
  }
  state.downloadedBytes += tarball.length;
  response.end(tarball);
}

function sendEndlessly(state: State, response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 1);
  const send = () => {
    if (response.destroyed) return;
    state.downloadedBytes += chunk.length;
    if (response.write(chunk)) setImmediate(send);
    else response.once('drain', send);
  };
  send();
}

/** The tarball has one top folder, a folder entry for it and a global header, as `git archive` makes them. */
function tarballOf(prefix: string, commit: FakeGitHubCommit): Buffer {
  const comment = { path: 'pax_global_header', type: 'g', content: Buffer.from(`52 comment=${commit.sha}\n`) };
  const files = Object.entries(commit.files).map(([path, text]) => ({
    path: `${prefix}/${path}`,
    content: Buffer.from(text),
    mode: 0o664,
  }));
  return gzipSync(tarOf([comment, { path: `${prefix}/`, type: '5', mode: 0o775 }, ...files]));
}

function findCommit(repository: FakeGitHubRepository, reference: string): FakeGitHubCommit | undefined {
  const sha = repository.references?.[reference] ?? reference;
  return repository.commits.find((commit) => sha.length >= 7 && commit.sha.startsWith(sha));
}

function commitJson(commit: FakeGitHubCommit): object {
  const committer = commit.committer ?? commit.author;
  const signature = ({ name, email }: FakeGitHubSignature) => ({ name, email, date: '2026-01-01T00:00:00Z' });
  return {
    sha: commit.sha,
    commit: { message: commit.message, author: signature(commit.author), committer: signature(committer) },
    author: commit.author.account ?? null,
    committer: committer.account ?? null,
    parents: [],
    files: [],
  };
}

function noteRequest(state: State, host: 'api' | 'codeload', request: IncomingMessage): string {
  const path = new URL(request.url ?? '/', 'http://fake').pathname;
  state.requests.push({ host, path, authorized: request.headers.authorization !== undefined });
  return path;
}

function isAllowed(repository: FakeGitHubRepository, request: IncomingMessage): boolean {
  const given = request.headers.authorization?.replace(/^(token|bearer) /i, '');
  return repository.token === undefined || given === repository.token;
}

function answerProblem(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = { message, documentation_url: 'https://docs.github.com/rest', status: String(status) };
  answerJson(response, status, body, headers);
}

function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
