import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownRegistries } from './registries.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proviso-registries-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, says: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\ncat <<'EOF'\n${says}\nEOF\n`);
  await chmod(join(folder, name), 0o755);
}

const inFolder = () => ({ PATH: `${folder}:/usr/bin:/bin` });

test('builds take packages from where this person takes them', async () => {
  await program('npm', 'registry = "http://10.0.0.7:4873/"\ncafile=/etc/mirror.pem');
  await program('python3', "global.index-url='http://10.0.0.7:3141/root/pypi/+simple/'");
  expect(await ownRegistries(inFolder())).toEqual({
    PROVISO_NPM_REGISTRY: 'http://10.0.0.7:4873/',
    PROVISO_PYPI_INDEX: 'http://10.0.0.7:3141/root/pypi/+simple/',
    PROVISO_REGISTRY_CERTIFICATES: '/etc/mirror.pem',
  });
});

test('an address with a password in it is not passed on, and what is not there is not configured', async () => {
  await program('npm', 'registry=https://me:hidden@mirror.example/\ncafile=null');
  await program('python3', '');
  expect(await ownRegistries(inFolder())).toEqual({});
});
