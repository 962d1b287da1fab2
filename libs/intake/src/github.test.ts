import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStore } from '@proviso/evidence';
import { type FakeGitHub, startFakeGitHub, zipOf } from '@proviso/testkit';
import { type FreezeResult, freezeArchive, freezeGitHub, type GitHubSource, type Limits } from './index.ts';

const sha = 'c0ffee'.padEnd(40, '0');
const ana = { name: 'Ana', email: 'ana@example.org', account: { login: 'ana-codes', id: 7 } };
const commits = [
  {
    sha,
    message: 'add a bot\n\nCo-authored-by: Bo <12+bo@users.noreply.github.com>',
    files: { 'README.md': '# demo', 'src/deep/a.js': 'let a;' },
    author: ana,
    committer: { name: 'GitHub', email: 'noreply@github.com' },
  },
];

let scratch: string;
let github: FakeGitHub;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-github-'));
  await mkdir(join(scratch, 'temp'));
  github = await startFakeGitHub({
    'acme/demo': {
      ...{ commits, references: { main: sha } },
      activities: [
        { after: sha, activity_type: 'force_push', actor: { login: 'pia-pushes', id: 21 } },
        { after: sha, activity_type: 'pr_merge', actor: { login: 'mia-merges', id: 22 } },
        { after: 'd'.repeat(40), activity_type: 'push', actor: { login: 'elsewhere', id: 23 } },
        { after: sha, activity_type: 'branch_creation', actor: { login: 'pia-pushes', id: 21 } },
      ],
    },
    'acme/secret': { commits, token: 'right-token' },
  });
});
afterEach(async () => {
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
  await github.close();
  await rm(scratch, { recursive: true, force: true });
});

const context = (limits: Partial<Limits> = {}) => ({
  store: folderStore(join(scratch, 'evidence')),
  tempFolder: join(scratch, 'temp'),
  limits,
});

async function freeze(source: Partial<GitHubSource> = {}, limits: Partial<Limits> = {}): Promise<FreezeResult> {
  const demo = { owner: 'acme', repository: 'demo', commit: sha, baseUrl: github.baseUrl };
  return freezeGitHub({ ...demo, ...source }, context(limits));
}

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    (answer) => answer,
    (error: unknown) => error,
  );
}

test('a commit freezes to the digest of its files, without the folder of the tarball', async () => {
  const files = Object.entries(commits[0]?.files ?? {}).map(([path, text]) => ({ path, content: Buffer.from(text) }));
  const zip = await freezeArchive(zipOf(files), context());
  for (const name of [sha, 'main', 'c0ffee0']) {
    const result = await freeze({ commit: name });
    expect(result.kind === 'frozen' && result.artifactDigest).toBe(zip.kind === 'frozen' && zip.artifactDigest);
  }
  expect(github.requests.at(-2)?.path).toBe(`/repos/acme/demo/tarball/${sha}`);
  expect(github.requests.at(-1)?.host).toBe('codeload');
});

test('the full commit and its people are recorded, with the accounts that github vouches for', async () => {
  const result = await freeze({ commit: 'main' });
  expect(result.kind === 'frozen' && result.provenance).toEqual({
    kind: 'github',
    owner: 'acme',
    repository: 'demo',
    commit: sha,
    author: { name: 'Ana', email: 'ana@example.org', login: 'ana-codes', id: 7 },
    committer: { name: 'GitHub', email: 'noreply@github.com' },
    coAuthors: [{ name: 'Bo', email: '12+bo@users.noreply.github.com', login: 'bo', id: 12 }],
    pushers: [21],
  });
});

test('who pushed is nobody where github does not tell', async () => {
  const result = await freeze({ repository: 'secret', token: 'right-token' });
  expect(result).toMatchObject({ kind: 'frozen', provenance: { pushers: [] } });
});

test('a private repository needs its token, which is not shown to the host of the download', async () => {
  expect(await freeze({ repository: 'secret' })).toMatchObject({ code: 'source_not_found' });
  expect(await freeze({ repository: 'secret', token: 'wrong' })).toMatchObject({ code: 'source_not_found' });
  expect(await freeze({ repository: 'secret', token: 'right-token' })).toMatchObject({ kind: 'frozen' });
  const seen = github.requests.filter(({ host }) => host === 'codeload');
  expect(seen.map(({ authorized }) => authorized)).toEqual([false]);
});

test('what is not there is refused, and so is a name that is none', async () => {
  expect(await freeze({ repository: 'nothing' })).toMatchObject({ code: 'source_not_found' });
  expect(await freeze({ commit: 'no-such-branch' })).toMatchObject({ code: 'source_not_found' });
  const asked = github.requests.length;
  for (const repository of ['..', 'a/b', 'a?b', '']) {
    expect(await freeze({ repository })).toMatchObject({ code: 'bad_reference' });
  }
  for (const owner of ['-a', 'a/b', '..', '']) expect(await freeze({ owner })).toMatchObject({ code: 'bad_reference' });
  expect(await freeze({ commit: '../../user' })).toMatchObject({ code: 'bad_reference' });
  expect(github.requests.length).toBe(asked);
});

test.each<[403 | 429, Record<string, string>, number]>([
  [403, { 'retry-after': '30' }, 30_000],
  [429, { 'retry-after': '1' }, 1_000],
  [
    403,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1767225690', date: 'Thu, 01 Jan 2026 00:00:00 GMT' },
    90_000,
  ],
  [403, { 'retry-after': '999999999' }, 3_600_000],
  [429, {}, 60_000],
])('a rate limit of %i with %j is a failure to retry later', async (status, headers, retryAfterMs) => {
  github.setFault({ kind: 'rate_limit', status, headers });
  expect(await failureOf(freeze())).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs });
});

test.each([
  [401, { kind: 'refused', code: 'source_not_permitted' }],
  [403, { kind: 'refused', code: 'source_not_permitted' }],
  [451, { kind: 'refused', code: 'source_not_found' }],
  [500, { code: 'source_unavailable', retryable: true }],
  [502, { code: 'source_unavailable', retryable: true }],
])('status %i is told as what it is', async (status, expected) => {
  github.setFault({ kind: 'status', status });
  expect(await failureOf(freeze({ token: 'a-token' }))).toMatchObject(expected);
});

test('a download that says nothing is given up after its time', async () => {
  github.setFault({ kind: 'silent_download' });
  expect(await failureOf(freeze({ timeoutMs: 200 }))).toMatchObject({ code: 'source_timeout', retryable: true });
});

test('a download that is cut off is a failure and not a damaged archive', async () => {
  github.setFault({ kind: 'cut_download' });
  expect(await failureOf(freeze())).toMatchObject({ code: 'source_broke', retryable: true });
});

test('a download without end is refused at the size of an archive, and not read on', async () => {
  github.setFault({ kind: 'endless_download' });
  expect(await freeze({}, { archiveBytesMax: 1024 * 1024 })).toMatchObject({ code: 'too_large' });
  expect(github.downloadedBytes()).toBeLessThan(32 * 1024 * 1024);
});

test('a server that is not there is a failure to retry', async () => {
  const { baseUrl } = github;
  await github.close();
  expect(await failureOf(freeze({ baseUrl }))).toMatchObject({ code: 'source_unavailable', retryable: true });
  github = await startFakeGitHub({});
});
