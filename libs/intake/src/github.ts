import { Octokit } from '@octokit/rest';
import { freezeSpooled, withSpooled } from './archive.ts';
import type { FreezeContext, FreezeResult } from './freeze.ts';
import { checkReference } from './git.ts';
import { githubTrouble } from './github-trouble.ts';
import { IntakeFailure } from './intake-failure.ts';
import { type CommitPeople, type CommitPerson, coAuthorsOf, commitPerson } from './provenance.ts';
import { answering, Refused } from './refusal.ts';

/** A repository of GitHub or of a GitHub Enterprise server, and the commit, branch or tag to freeze. */
export type GitHubSource = {
  readonly owner: string;
  readonly repository: string;
  readonly commit: string;
  /** The address of the API; GitHub's own when absent. */
  readonly baseUrl?: string;
  /** Only sent to the API itself, never to the host that the download is redirected to. */
  readonly token?: string;
  readonly timeoutMs?: number;
};

/** An archive of the largest size comes within this over a slow line; then the intake is given up and can be retried. */
const GITHUB_TIMEOUT_MS = 120_000;

/** The newest pushes to a repository, one page; a commit is frozen minutes after it was pushed. */
const ACTIVITIES_MAX = 100;

/**
 * Freezes a commit from GitHub's tarball. The name is resolved to the full commit id first and the tarball is asked for
 * by that id, so a branch that moves meanwhile changes nothing. GitHub builds the tarball with `git archive`: it obeys
 * `export-ignore` and `export-subst`, so only repositories that use these freeze differently from `freezeGit`.
 */
export async function freezeGitHub(source: GitHubSource, context: FreezeContext): Promise<FreezeResult> {
  return answering(async () => {
    checkNames(source);
    const session = openSession(source);
    try {
      const { commit, people } = await session.readCommit();
      const pushers = await session.readPushers(commit);
      const { frozen } = await withSpooled(await session.download(commit), context, (archive) =>
        freezeSpooled(archive, context),
      );
      const { owner, repository } = source;
      return { ...frozen, provenance: { kind: 'github', owner, repository, commit, ...people, pushers } };
    } catch (error) {
      throw githubTrouble(error, session.timedOut());
    } finally {
      session.close();
    }
  });
}

/** GitHub's own forms; anything else could change the meaning of the address that is asked. */
function checkNames(source: GitHubSource): void {
  const named = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/.test(source.owner) && /^[\w.-]{1,100}$/.test(source.repository);
  if (!named || /^\.+$/.test(source.repository)) {
    throw new Refused('bad_reference', 'expected the owner and name of a repository, got something else');
  }
  checkReference(source.commit);
}

function openSession(source: GitHubSource) {
  const { owner, repository: repo } = source;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), source.timeoutMs ?? GITHUB_TIMEOUT_MS);
  const octokit = new Octokit({
    ...(source.baseUrl === undefined ? {} : { baseUrl: source.baseUrl }),
    ...(source.token === undefined ? {} : { auth: source.token }),
    userAgent: 'proviso',
    // Its own log would print every failed address to the console.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: { signal: timeout.signal },
  });
  return {
    async readCommit() {
      const { data } = await octokit.rest.repos.getCommit({ owner, repo, ref: source.commit });
      if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(data.sha)) throw brokenAnswer('a commit id');
      return { commit: data.sha, people: peopleOf(data) };
    },
    async readPushers(commit: string) {
      const { data } = await octokit.rest.repos
        .listActivities({ owner, repo, per_page: ACTIVITIES_MAX })
        .catch((error: unknown) => (isUnseen(error) ? { data: [] } : Promise.reject(error)));
      return pushersOf(data, commit);
    },
    async download(commit: string) {
      const { data } = await octokit.rest.repos.downloadTarballArchive({
        owner,
        repo,
        ref: commit,
        // Otherwise the whole tarball would be collected in memory before its size is known.
        request: { parseSuccessResponseBody: false, signal: timeout.signal },
      });
      return bodyChunks(data);
    },
    timedOut: () => timeout.signal.aborted,
    /** Also ends a download that was refused midway. */
    close() {
      clearTimeout(timer);
      timeout.abort();
    },
  };
}

function ignore(): void {}

/**
 * The accounts that have pushed this very commit. A merge on GitHub's pages is none: what it brings was pushed before, and
 * whoever presses that button is often the one who has reviewed it.
 */
function pushersOf(activities: readonly GitHubActivity[], commit: string): readonly number[] {
  const pushes = activities.filter(({ after, activity_type: type }) => after === commit && pushTypes.has(type));
  return [...new Set(pushes.flatMap(({ actor }) => actor?.id ?? []))];
}

const pushTypes: ReadonlySet<string> = new Set(['push', 'force_push', 'branch_creation']);

/** An older server has no such list, and a token may be too narrow for it; then nobody is known to have pushed. */
function isUnseen(error: unknown): boolean {
  return githubTrouble(error, false) instanceof Refused;
}

async function* bodyChunks(body: unknown): AsyncGenerator<Uint8Array> {
  if (!(body instanceof ReadableStream)) throw brokenAnswer('a body');
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw brokenAnswer('bytes');
    yield chunk;
  }
}

function brokenAnswer(expected: string): IntakeFailure {
  return new IntakeFailure('source_broke', `expected ${expected} from github, got something else`);
}

type GitHubActivity = {
  readonly after: string;
  readonly activity_type: string;
  readonly actor: { readonly id?: number } | null;
};
type GitHubAccount = { readonly login?: string; readonly id?: number } | null;
type GitHubSignature = { readonly name?: string; readonly email?: string } | null;
type GitHubCommit = {
  readonly commit: { readonly message: string; readonly author: GitHubSignature; readonly committer: GitHubSignature };
  readonly author: GitHubAccount;
  readonly committer: GitHubAccount;
};

function peopleOf(data: GitHubCommit): CommitPeople {
  return {
    author: personOf(data.commit.author, data.author),
    committer: personOf(data.commit.committer, data.committer),
    coAuthors: coAuthorsOf(data.commit.message),
  };
}

/** The account is GitHub's own word and replaces what the address claims; it is null when no account has the address. */
function personOf(signature: GitHubSignature, account: GitHubAccount): CommitPerson {
  const person = commitPerson(signature?.name ?? '', signature?.email ?? '');
  if (account?.login === undefined || account.id === undefined) return person;
  return { ...person, login: account.login, id: account.id };
}
