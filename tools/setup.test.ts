import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A set-up with nothing to install: some programs are asked for their version. */
const TEST_TIMEOUT_MS = 60_000;
let project: string;
let home: string;

/** A copy of what set-up reads, with the real packages, and a home folder that has no cache. */
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-setup-'));
  project = join(folder, 'project');
  home = join(folder, 'home');
  mkdirSync(join(project, 'tools'), { recursive: true });
  mkdirSync(home);
  for (const file of ['setup.mjs', 'setup-lock.mjs', 'temporal-source.mjs']) {
    cpSync(join(root, 'tools', file), join(project, 'tools', file));
  }
  cpSync(join(root, 'package-lock.json'), join(project, 'package-lock.json'));
  cpSync(join(root, 'deploy', 'temporal'), join(project, 'deploy', 'temporal'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
});

afterEach(() => rmSync(join(project, '..'), { recursive: true, force: true }));

function setUp(environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'tools', 'setup.mjs')], {
    encoding: 'utf8',
    // No Go, no Temporal on this PATH, and a download that is refused at once.
    env: { PATH: home, HOME: home, PROVISO_TEMPORAL_DOWNLOAD_URL: 'http://127.0.0.1:9', ...environment },
  });
  return { status, stdout, stderr };
}

/** A program that answers `--version` as the Temporal CLI does. */
function placeTemporal(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'temporal');
  writeFileSync(path, '#!/bin/sh\necho temporal version 9.9.9\n', { mode: 0o755 });
  return path;
}

function notedTemporal(): { path: string; source: string; version: string } {
  const tools = JSON.parse(readFileSync(join(project, '.cache', 'tools.json'), 'utf8')) as {
    temporal: { path: string; source: string; version: string };
  };
  return tools.temporal;
}

// The path of these tests holds little, and it is no problem that bubblewrap is not on it.
const readyWithoutBubblewrap =
  'setup: bubblewrap is not installed; prototypes are isolated by plain namespaces where the kernel lets us\nsetup: ready\n';

test(
  'says all that was tried and what to install when Temporal cannot be had',
  () => {
    const { status, stdout, stderr } = setUp();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('Temporal is missing');
    expect(stderr).toContain('Go is not installed');
    expect(stderr).toContain('install Go 1.26');
    expect(existsSync(join(project, '.cache', 'setup.lock'))).toBe(false);
  },
  TEST_TIMEOUT_MS,
);

test(
  'takes Temporal from PATH, and a second run does nothing and says nothing',
  () => {
    const path = placeTemporal(home);
    expect(setUp()).toEqual({ status: 0, stdout: '', stderr: readyWithoutBubblewrap });
    expect(notedTemporal()).toMatchObject({ path, source: 'path', version: 'temporal version 9.9.9' });
    expect(setUp()).toEqual({ status: 0, stdout: '', stderr: '' });
  },
  TEST_TIMEOUT_MS,
);

test(
  'looks again when the program it had noted has changed',
  () => {
    const path = placeTemporal(home);
    setUp();
    writeFileSync(path, '#!/bin/sh\necho temporal version 10.0.0 is longer\n', { mode: 0o755 });
    expect(setUp().stderr).toBe(readyWithoutBubblewrap);
    expect(notedTemporal().version).toBe('temporal version 10.0.0 is longer');
  },
  TEST_TIMEOUT_MS,
);

test(
  'a lock whose owner died does not hold up the next set-up',
  () => {
    placeTemporal(home);
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    mkdirSync(join(project, '.cache'));
    writeFileSync(join(project, '.cache', 'setup.lock'), String(ended));
    expect(setUp().status).toBe(0);
  },
  TEST_TIMEOUT_MS,
);

test(
  'needs no Temporal program when a server elsewhere is named',
  () => {
    expect(setUp({ TEMPORAL_ADDRESS: '127.0.0.1:7233' })).toMatchObject({ status: 0 });
  },
  TEST_TIMEOUT_MS,
);
