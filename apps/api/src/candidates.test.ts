import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FakeGitHub, startFakeGitHub, tarOf, zipOf } from '@proviso/testkit';
import type { InjectOptions } from 'fastify';
import {
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  openDeployment,
  passByWorker,
  pick,
  pickText,
  registered,
} from './deployment.contract.ts';

let here: Deployment;
let gitRoot: string;

beforeAll(async () => {
  gitRoot = await mkdtemp(join(tmpdir(), 'proviso-git-'));
  here = await openDeployment({ gitRoot });
});

afterAll(async () => {
  await here.close();
  await rm(gitRoot, { recursive: true, force: true });
});

describe('a candidate', () => {
  it('has a digest for each part that it has files of, and only the part that changed has another', async () => {
    const { prototype } = await registered(here, 'in-parts');
    const freeze = async (version: string, files: Readonly<Record<string, string>>) => {
      const entries = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }));
      const form = formOf(version, gzipSync(tarOf(entries)));
      const { body } = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
      return pick(body, 'candidate') as { artifactDigest: string; parts: Readonly<Record<string, string>> };
    };
    const files = { 'src/main.js': 'let a;', 'src/prompts/greet.md': 'Say hello.', 'models/small.yaml': 'name: a' };
    const first = await freeze('p1', files);
    expect(Object.keys(first.parts)).toEqual(['code', 'model', 'prompt']);
    const { parts } = await freeze('p2', { ...files, 'src/prompts/greet.md': 'Say hello, kindly.' });
    expect(Object.keys(parts).filter((part) => parts[part] !== first.parts[part])).toEqual(['prompt']);
    const code = await freeze('p3', { 'src/main.js': 'let a;' });
    expect(code.parts).toEqual({ code: code.artifactDigest });
  });

  it('is the same one when the same content comes again under another label', async () => {
    const { prototype, candidate } = await registered(here, 'twice');
    const again = await here.ask(
      'bea',
      'POST',
      `/v1/prototypes/${prototype}/candidates`,
      formOf('v2', archiveOf('console.log("twice")')),
    );
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      created: false,
      candidate: { id: candidate, version: 'v1', origin: { kind: 'upload', uploader: here.people.bea } },
    });
    const other = await here.ask(
      'bea',
      'POST',
      `/v1/prototypes/${prototype}/candidates`,
      formOf('v2', archiveOf('other')),
    );
    expect(other.status).toBe(201);
    const list = await here.ask('bea', 'GET', `/v1/prototypes/${prototype}/candidates?limit=1`);
    expect(list.body).toMatchObject({ items: [{ version: 'v2' }], next: pick(other.body, 'candidate', 'id') });
    const rest = await here.ask(
      'bea',
      'GET',
      `/v1/prototypes/${prototype}/candidates?limit=1&after=${pickText(list.body, 'next')}`,
    );
    expect(rest.body).toMatchObject({ items: [{ id: candidate }], next: null });
  });

  it('comes from a commit inside the configured folder and from nowhere outside', async () => {
    const { prototype } = await registered(here, 'from-git');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: gitRoot });
    git('init', '-q', '-b', 'main');
    await writeFile(join(gitRoot, 'main.js'), 'console.log(1)');
    git('add', '.');
    git('commit', '-q', '-m', 'one');
    const url = `/v1/prototypes/${prototype}/candidates`;
    const frozen = await here.post('bea', url, { version: 'g1', git: { path: '.', commit: 'main' } });
    expect(frozen.status).toBe(201);
    expect(frozen.body).toMatchObject({ files: 1, candidate: { origin: { kind: 'git', repository: '.' } } });
    for (const path of ['..', '/etc', '../..', 'nowhere']) {
      const answer = await here.post('bea', url, { version: 'g2', git: { path, commit: 'main' } });
      expect([path, answer.status, answer.body['code']]).toEqual([path, 422, 'source_not_found']);
    }
  });

  it.each([
    ['a bomb', gzipSync(Buffer.concat([tarOf([{ path: 'a', content: Buffer.alloc(60_000_000) }])])), [413, 422]],
    ['a path that escapes', gzipSync(tarOf([{ path: '../../etc/passwd', content: Buffer.from('x') }])), [422]],
    ['a link out', gzipSync(tarOf([{ path: 'l', type: '2', linkPath: '/etc/passwd' }])), [422]],
    ['a zip that escapes', zipOf([{ path: '../x', content: Buffer.from('x') }]), [422]],
    ['no archive', Buffer.from('hello'), [422]],
    ['nothing', Buffer.alloc(0), [422]],
    ['half an archive', archiveOf('x'.repeat(10_000)).subarray(0, 40), [422]],
  ])('is not made of %s', async (_name, archive, statuses) => {
    const { prototype } = await registered(here, `bad-${statuses.length}${archive.length}`);
    const answer = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, formOf('v2', archive));
    expect(statuses).toContain(answer.status);
    expect(pick(answer.body, 'errors', 0, 'code')).toBe(answer.body['code']);
  });

  it('is not made of a broken form', async () => {
    const { prototype } = await registered(here, 'broken-form');
    const whole = formOf('v2', archiveOf('fine'));
    const bytes = Buffer.from(whole.payload as Buffer);
    const forms: InjectOptions[] = [
      { ...whole, payload: bytes.subarray(0, bytes.length - 30) },
      { ...whole, payload: bytes.subarray(0, 60) },
      { ...whole, payload: Buffer.from(bytes.toString('latin1').replace('name="archive"', 'name="other"'), 'latin1') },
      { ...whole, payload: Buffer.from(bytes.toString('latin1').replace('name="version"', 'name="status"'), 'latin1') },
      { ...formOf('not a version!', archiveOf('fine')) },
      { ...whole, payload: twiceNamed(bytes) },
      { payload: bytes, headers: { 'content-type': 'multipart/form-data' } },
    ];
    for (const form of forms) {
      const answer = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
      expect([400, 422]).toContain(answer.status);
    }
    const shown = await here.ask('bea', 'GET', `/v1/prototypes/${prototype}`);
    expect(shown.body['candidates']).toBe(1);
  });

  it('is refused before it is read to whoever may not upload', async () => {
    const { prototype } = await registered(here, 'no-right');
    const answer = await here.ask(
      'aud',
      'POST',
      `/v1/prototypes/${prototype}/candidates`,
      formOf('v2', archiveOf('x')),
    );
    expect(answer.body).toMatchObject({
      status: 403,
      code: 'not_permitted',
      whoCan: ['role/builder', 'role/workload'],
    });
  });
});

/** The same form with a second version behind the first: which of the two would be meant? */
function twiceNamed(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const second = text.indexOf('\r\n--', text.indexOf('name="version"'));
  const first = text.slice(0, second);
  return Buffer.from(`${first}\r\n${first.replace('v2', 'v3')}${text.slice(second)}`, 'latin1');
}

describe('evidence', () => {
  it('is a download as text, never a page, and only of what this workspace names', async () => {
    const { promotion } = await atApproval(here, 'evidence');
    const view = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    const digest = pickText(view.body, 'gates', 0, 'evidence', 0, 'digest');
    const read = await here.ask('aud', 'GET', `/v1/evidence/${digest}`);
    expect(read.text).toBe(`<b>report of readiness of ${promotion}</b>`);
    expect(read.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(String(read.headers['content-disposition'])).toMatch(/^attachment/);
    expect((await here.ask('eve', 'GET', `/v1/evidence/${digest}`)).status).toBe(404);
    const { digest: unnamed } = await here.parts.store.put(Buffer.from('nobody names this'));
    expect((await here.ask('aud', 'GET', `/v1/evidence/${unnamed}`)).status).toBe(404);
  });
});

describe('github', () => {
  let github: FakeGitHub;

  beforeAll(async () => {
    github = await startFakeGitHub({});
  });

  afterAll(async () => {
    await github.close();
  });

  it('that knows no such repository is an answer and not a breakage', async () => {
    const there = await openDeployment({ githubApi: github.baseUrl });
    try {
      const { prototype } = await registered(there, 'hub');
      const body = { version: 'v1', github: { owner: 'octo', repository: 'none', commit: 'main' } };
      const answer = await there.post('bea', `/v1/prototypes/${prototype}/candidates`, body);
      expect([answer.status, answer.body['code']]).toEqual([422, 'source_not_found']);
    } finally {
      await there.close();
    }
  });
});

describe('a promotion', () => {
  it('can be cancelled with a reason, told in its history', async () => {
    const { promotion } = await atApproval(here, 'cancelled');
    expect((await here.post('bea', `/v1/promotions/${promotion}/cancel`, {})).status).toBe(422);
    const stopped = await here.post('bea', `/v1/promotions/${promotion}/cancel`, { reason: 'not needed' });
    expect(stopped).toMatchObject({ status: 202, body: { receipt: 'recorded' } });
    expect(stopped.headers['location']).toBe(`/v1/promotions/${promotion}`);
    const revision = Number(stopped.body['revision']);
    const read = await here.ask('bea', 'GET', `/v1/promotions/${promotion}?minRevision=${revision}`);
    expect(read.body['revision']).toBeGreaterThanOrEqual(revision);
    const later = await here.ask('bea', 'GET', `/v1/promotions/${promotion}?minRevision=${revision + 50}`);
    expect([later.status, later.body['code']]).toEqual([412, 'revision_not_reached']);
  });

  it('is in exactly one page each, also when others are opened between two pages', async () => {
    const opened = [];
    for (const index of [1, 2, 3, 4, 5]) opened.push((await atApproval(here, `paged-${index}`)).promotion);
    const seen: string[] = [];
    let next: string | null = '';
    for (let pages = 0; next !== null && pages < 20; pages += 1) {
      const after = next === '' ? '' : `&after=${next}`;
      const page = await here.ask('bea', 'GET', `/v1/promotions?limit=2${after}`);
      const items = page.body['items'] as { readonly id: string }[];
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      next = page.body['next'] as string | null;
      if (pages === 0) await atApproval(here, 'paged-late');
    }
    expect(seen.slice(0, 5)).toEqual(opened.toReversed());
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('that is run again is work that goes on, and says where to look', async () => {
    const { prototype, candidate, policy } = await registered(here, 'again');
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    const promotion = pickText(opened.body, 'id') as `prm_${string}`;
    expect([opened.status, opened.headers['location']]).toEqual([201, `/v1/promotions/${promotion}`]);
    await passByWorker(here, promotion, 'readiness', 'fail');
    const gate = `/v1/gates/gate_${promotion.slice('prm_'.length)}-readiness`;
    const rerun = await here.post('bea', `${gate}/rerun`, {});
    expect([rerun.status, rerun.headers['location']]).toEqual([202, `/v1/promotions/${promotion}`]);
  });

  it('that did not change is told in one line to whoever knows its tag', async () => {
    const { promotion } = await atApproval(here, 'tagged');
    const url = `/v1/promotions/${promotion}`;
    const first = await here.ask('sam', 'GET', url);
    const again = await here.ask('sam', 'GET', url, { headers: { 'if-none-match': String(first.headers['etag']) } });
    expect([again.status, again.text]).toEqual([304, '']);
    await expect(passByWorker(here, promotion, 'readiness')).rejects.toThrow('expected a grant');
  });
});
