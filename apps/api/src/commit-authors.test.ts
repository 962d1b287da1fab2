import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Deployment, openDeployment, pick, pickText, registered } from './deployment.contract.ts';

let here: Deployment;
let gitRoot: string;

beforeAll(async () => {
  gitRoot = await mkdtemp(join(tmpdir(), 'proviso-authors-'));
  execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: gitRoot });
  here = await openDeployment({ gitRoot });
});

afterAll(async () => {
  await here.close();
  await rm(gitRoot, { recursive: true, force: true });
});

/** Somebody whose address an administrator has given. */
async function known(name: string): Promise<string> {
  const body = { name, email: `${name}@Team.example`, roles: [{ role: 'approver', group: 'security' }] };
  return pickText((await here.post('ada', '/v1/people', body)).body, 'id');
}

/** Opens a promotion of a commit by this author, with these lines below its message. */
async function promoted(prototype: string, policy: string, by: { email: string; trailers?: readonly string[] }) {
  const words = `${by.email} ${by.trailers?.join() ?? ''}`;
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Somebody', '-c', `user.email=${by.email}`, ...args], { cwd: gitRoot });
  await writeFile(join(gitRoot, 'main.js'), `// ${words}`);
  git('add', '.');
  git('commit', '-q', '-m', ['change', '', ...(by.trailers ?? [])].join('\n'));
  const frozen = await here.post('bea', `/v1/prototypes/${prototype}/candidates`, {
    version: 'g1',
    git: { path: '.', commit: 'main' },
  });
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  const id = pickText(opened.body, 'id') as `prm_${string}`;
  const view = await here.parts.journal.reads(here.workspace).promotion(id);
  return { shown: opened.body, exclusions: view?.state.exclusions ?? [] };
}

describe('whoever a commit names', () => {
  it('is excluded as its author when they are known here, however the address is spelt', async () => {
    const [nia, tom] = [await known('nia'), await known('tom')];
    const { prototype, policy } = await registered(here, 'authored');
    const { shown, exclusions } = await promoted(prototype, policy, {
      email: 'NIA@team.example',
      trailers: ['Co-authored-by: T <tom@team.EXAMPLE>', 'Co-authored-by: X <nobody@elsewhere.example>'],
    });
    expect(exclusions).toContainEqual({ person: nia, why: 'author' });
    expect(exclusions).toContainEqual({ person: tom, why: 'author' });
    expect(pick(shown, 'unknownAuthors')).toBe(1);
  });

  it('is told as unknown until they are known, and is nobody in another workspace', async () => {
    const { prototype, policy } = await registered(here, 'later-known');
    const before = await promoted(prototype, policy, { email: 'zed@team.example' });
    expect(pick(before.shown, 'unknownAuthors')).toBe(1);
    await here.post('eve', '/v1/people', { name: 'zed', email: 'zed@team.example' });
    const elsewhere = await promoted(prototype, policy, { email: 'zed@team.example', trailers: ['again'] });
    expect(pick(elsewhere.shown, 'unknownAuthors')).toBe(1);
    const zed = await known('zed');
    const after = await promoted(prototype, policy, { email: 'zed@team.example', trailers: ['and again'] });
    expect(pick(after.shown, 'unknownAuthors')).toBe(0);
    expect(after.exclusions).toContainEqual({ person: zed, why: 'author' });
  });

  it('leaves no address in any entry, and is unknown again once erased', async () => {
    const ivy = await known('ivy');
    const { prototype, policy } = await registered(here, 'erased-author');
    const before = await promoted(prototype, policy, { email: 'ivy@team.example' });
    expect(before.exclusions).toContainEqual({ person: ivy, why: 'author' });
    const reads = here.parts.journal.reads(here.workspace);
    const entries = await reads.history({ stream: 'prototype', id: prototype, limit: 50 });
    expect(entries.map(({ bytes }) => bytes).join()).not.toContain('team.example');
    await here.post('ada', `/v1/people/${ivy}/erase`, {});
    const after = await promoted(prototype, policy, { email: 'ivy@team.example', trailers: ['again'] });
    expect(pick(after.shown, 'unknownAuthors')).toBe(1);
    expect(after.exclusions.map(({ person }) => person)).not.toContain(ivy);
  });
});
