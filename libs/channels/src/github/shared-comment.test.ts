import { type FakeGitHubApp, startFakeGitHubApp } from '@proviso/testkit';
import { type GitHubRequest, openGitHubApp } from './app.ts';
import type { GitHubComment } from './message.ts';
import { placeOf } from './place.ts';
import { openSharedComments } from './shared-comment.ts';

let github: FakeGitHubApp;

beforeAll(async () => {
  github = await startFakeGitHubApp();
});

afterAll(async () => {
  await github.close();
});

const body = `<!-- proviso app 1 ${'0'.repeat(64)} -->`;
const message: GitHubComment = { kind: 'comment', prototype: 'app', openedAt: 1, body };

/** Writes the comment of a prototype on the pull request of a repository. */
function openWriter() {
  const { apiUrl, appId, privateKey } = github;
  const app = openGitHubApp({ apiUrl, appId: String(appId), privateKey }, Date.now);
  const comments = openSharedComments(appId);
  return async (repository: string) => {
    github.push(repository, { 'a.js': '1' });
    const at = { place: placeOf(repository), pull: github.pull(repository).number, message };
    return await app.call(repository, async (ask: GitHubRequest) => await comments.stand(ask, at));
  };
}

it('a repository that answers slowly holds up no comment in another', async () => {
  const write = openWriter();
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  github.fault = (route) => {
    if (route !== 'GET comments') return null;
    github.fault = () => null;
    asked.resolve();
    return { kind: 'late', until: answered.promise };
  };
  const slow = write('acme/slow');
  await asked.promise;
  await write('acme/quick');
  answered.resolve();
  await slow;
  expect(github.notes.map(({ repository }) => repository)).toEqual(['acme/quick', 'acme/slow']);
});

it('of many who write the comment of one prototype at once, one posts it and the others find it', async () => {
  const write = openWriter();
  const ids = await Promise.all(Array.from({ length: 10 }, () => write('acme/one')));
  expect(new Set(ids).size).toBe(1);
  expect(github.notes.filter(({ repository }) => repository === 'acme/one')).toHaveLength(1);
});
