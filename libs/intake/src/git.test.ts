import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { folderStore } from '@proviso/evidence';
import { type FreezeResult, freezeFolder, freezeGit } from './index.ts';

let scratch: string;
let repository: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-git-'));
  await mkdir(join(scratch, 'temp'));
  repository = join(scratch, 'repository');
  await mkdir(repository);
  await git('init', '--quiet', '--initial-branch=main');
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function git(...parameters: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Ana', '-c', 'user.email=ana@example.org', '-c', 'core.hooksPath=/dev/null'];
  const { stdout } = await promisify(execFile)('git', [...identity, ...parameters], { cwd: repository });
  return stdout.trim();
}

async function commit(files: Record<string, string>, message = 'a change'): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository, path)), { recursive: true });
    await writeFile(join(repository, path), text);
  }
  await git('add', '--all');
  await git('commit', '--quiet', '--message', message);
  return git('rev-parse', 'HEAD');
}

async function freeze(reference: string, path = repository): Promise<FreezeResult> {
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') };
  return freezeGit({ repositoryPath: path, commit: reference }, context);
}

test('a commit freezes to the digest of its checked-out folder, by any of its names', async () => {
  await writeFile(join(repository, 'run.sh'), '#!/bin/sh');
  await chmod(join(repository, 'run.sh'), 0o755);
  const id = await commit({ 'src/a.js': 'let a;', empty: '', 'grüße/日本 語.md': 'x'.repeat(400_000) });
  await git('tag', 'v1.0');
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') };
  const folder = await freezeFolder(repository, context);
  await writeFile(join(repository, 'uncommitted'), 'not part of it');
  for (const name of [id, id.slice(0, 10), 'main', 'v1.0', 'HEAD', 'refs/heads/main']) {
    const result = await freeze(name);
    expect(result.kind === 'frozen' && result.artifactDigest).toBe(folder.kind === 'frozen' && folder.artifactDigest);
    expect(result).toMatchObject({ provenance: { kind: 'git', commit: id } });
  }
});

test('the people of the commit are recorded, with those who only stand in its message', async () => {
  const trailers = 'Co-authored-by: Bo <12+bo@users.noreply.github.com>\nco-authored-by: Cy D <cy@example.org>';
  await commit({ a: 'x' }, `a change\n\n${trailers}`);
  expect(await freeze('main')).toMatchObject({
    provenance: {
      author: { name: 'Ana', email: 'ana@example.org' },
      committer: { name: 'Ana' },
      coAuthors: [
        { name: 'Bo', login: 'bo', id: 12 },
        { name: 'Cy D', email: 'cy@example.org' },
      ],
    },
  });
});

test.each([
  '--upload-pack=touch x',
  '-h',
  '',
  'a..b',
  'HEAD@{0}',
  'HEAD^',
  ':/x',
  'a b',
  'a\nb',
  '$(touch x)',
  'x'.repeat(300),
])('%j is no name of a commit', async (name) => {
  await commit({ a: 'x' });
  expect(await freeze(name)).toMatchObject({ code: 'bad_reference' });
});

test('what is not there is not found', async () => {
  const id = await commit({ a: 'x' });
  expect(await freeze('no-such-branch')).toMatchObject({ code: 'source_not_found' });
  expect(await freeze('0'.repeat(40))).toMatchObject({ code: 'source_not_found' });
  expect(await freeze(id, join(scratch, 'nowhere'))).toMatchObject({ code: 'source_not_found' });
  expect(await freeze(id, scratch)).toMatchObject({ code: 'source_not_found' });
  await mkdir(join(repository, 'below'));
  expect(await freeze(id, join(repository, 'below'))).toMatchObject({ code: 'source_not_found' });
});

test('links and submodules in a tree are refused', async () => {
  const id = await commit({ a: 'x' });
  await symlink('/etc/passwd', join(repository, 'link'));
  await commit({});
  expect(await freeze('main')).toMatchObject({ code: 'link_refused' });
  await git('rm', '--quiet', '--force', 'link');
  await git('update-index', '--add', '--cacheinfo', `160000,${id},module`);
  await git('commit', '--quiet', '--message', 'a submodule');
  expect(await freeze('main')).toMatchObject({ code: 'special_file' });
});

test('nothing that the repository configures is run or obeyed', async () => {
  const proof = join(scratch, 'proof');
  await commit({ '.gitattributes': '* filter=evil diff=evil export-ignore', a: 'x' });
  const evil = `touch ${proof}`;
  for (const key of ['filter.evil.smudge', 'diff.evil.textconv', 'core.fsmonitor', 'core.pager', 'core.sshCommand']) {
    await git('config', key, evil);
  }
  await git('config', 'tar.tar.gz.command', evil);
  await writeFile(join(repository, '.git/hooks/post-checkout'), `#!/bin/sh\n${evil}`, { mode: 0o755 });
  const result = await freeze('main');
  expect(result.kind === 'frozen' && result.manifest.files.map(({ path }) => path)).toEqual(['.gitattributes', 'a']);
  await expect(stat(proof)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a repository that lacks a file of the commit is refused and fetches nothing', async () => {
  await commit({ a: 'only here' });
  const id = await git('rev-parse', 'HEAD:a');
  await rm(join(repository, '.git/objects', id.slice(0, 2), id.slice(2)));
  expect(await freeze('main')).toMatchObject({ code: 'corrupt_archive', pointer: '/files/a' });
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
});
