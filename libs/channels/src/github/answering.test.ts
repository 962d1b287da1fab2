import { randomUUID } from 'node:crypto';
import { type QuestionRegister, idFrom } from '@proviso/domain';
import { type Journal, openJournal } from '@proviso/journal';
import { type FakeGitHubApp, type FakeGitHubAppFault, createDatabase, startFakeGitHubApp } from '@proviso/testkit';
import type { Bulletin } from '../bulletin.ts';
import { type AnsweringPorts, answerTurn } from './answering.ts';
import { openGitHubApp } from './app.ts';
import { promoted, repository } from './promoted.contract.ts';

let journal: Journal;
let github: FakeGitHubApp;
/** The head of the one pull request of the repository. */
let commit: string;
let register: QuestionRegister;
let clock: number;
let bulletins: readonly Bulletin[];
let isFollowed: boolean;
let runs = 100;

beforeAll(async () => {
  const { appUrl: url, vaultKeyHex } = await createDatabase();
  journal = await openJournal({ url, connectionsMax: 4, origin: 'test', vaultKeyHex, durable: false });
  github = await startFakeGitHubApp();
  commit = github.push(repository, { 'main.js': '//' });
});

beforeEach(() => {
  register = journal.questions(idFrom('wsp', randomUUID()));
  github.fault = () => null;
  clock = Date.now();
  bulletins = [];
  isFollowed = true;
});

afterAll(async () => {
  expect(github.complaints).toEqual([]);
  await github.close();
  await journal.close();
});

function ports(): AnsweringPorts {
  const { apiUrl, privateKey } = github;
  return {
    register: onOurClock(register),
    app: openGitHubApp({ apiUrl, appId: '77', privateKey }, () => clock),
    bulletinsAt: async (source) => (source.commit === commit && source.repository === repository ? bulletins : []),
    isFollowed: () => Promise.resolve(isFollowed),
    needOf: (environment) => (environment === 'production' ? 'live' : 'approved'),
    page: 'https://proviso.example/',
    pause: () => Promise.resolve(),
    note: () => undefined,
  };
}

/** The same questions on the clock of the test, and due at any time. */
function onOurClock(kept: QuestionRegister): QuestionRegister {
  return {
    ...kept,
    putOff: async (id) => await kept.putOff(id, 0),
    told: async (id, { said }) => {
      saidAt.set(id, clock);
      await kept.told(id, { said, restMs: 0 });
    },
    take: async (limit, forMs) => {
      const taken = await kept.take(limit, forMs);
      return taken.map((one) => ({
        ...one,
        saidAgoMs: one.saidAgoMs === null ? null : clock - (saidAt.get(one.id) ?? 0),
      }));
    },
  };
}

const saidAt = new Map<string, number>();

/** A job of that environment waits, and GitHub has told us. */
async function waiting(environment: string) {
  const run = (runs += 1);
  const job = github.wait({ repository, run, environment });
  await register.ask({ id: `rule/${run}`, kind: 'rule', repository, commit, environment, run, pull: null });
  return job;
}

describe('a deploy job that waits at a protection rule', () => {
  it('is told where its commit stands, and goes on when that is what its environment asks for', async () => {
    const [live, approved] = [await waiting('production'), await waiting('preview')];
    await answerTurn(ports());
    expect(live.reports).toEqual(['Proviso: no version of this commit was promoted yet.']);
    bulletins = [promoted('canary', { asked: 'passed' })];
    clock += 60_000;
    await answerTurn(ports());
    expect([live.answer, approved.answer?.state]).toEqual([null, 'approved']);
    expect(live.reports.at(-1)).toContain('It is canary.');
    bulletins = [promoted('live', { asked: 'passed' })];
    await answerTurn(ports());
    expect(live.answer).toEqual({
      state: 'approved',
      comment: expect.stringContaining('https://proviso.example/decide/'),
    });
    await answerTurn(ports());
  });

  it('does not go on when people or the canary said no', async () => {
    const job = await waiting('preview');
    bulletins = [promoted('rolled_back', { asked: 'passed' })];
    await answerTurn(ports());
    expect(job.answer?.state).toBe('rejected');
  });

  it('hears of a burst once, of the same standing once, and never more often than GitHub lets us', async () => {
    const job = await waiting('production');
    const standings = ['queued', 'running', 'waiting_for_human', 'blocked'] as const;
    for (let turn = 0; turn < 60; turn += 1) {
      const standing = standings[turn % standings.length] ?? 'queued';
      bulletins = [promoted(standing, { headline: `Turn ${turn}.` })];
      await answerTurn(ports());
      clock += 1_000;
    }
    expect(job.reports).toHaveLength(6);
    for (let turn = 0; turn < 60; turn += 1) {
      bulletins = [promoted(standings[turn % standings.length] ?? 'queued')];
      await answerTurn(ports());
      clock += 3_600_000;
    }
    expect(job.reports).toHaveLength(10);
    bulletins = [promoted('live')];
    await answerTurn(ports());
    expect(job.answer?.state).toBe('approved');
  });

  it.each<[string, FakeGitHubAppFault]>([
    ['away', { kind: 'away' }],
    ['broken', { kind: 'breaks' }],
    ['asked too often', { kind: 'rate_limited', status: 403, retryAfterSeconds: 1 }],
  ])('is answered when GitHub, which was %s, is back', async (_was, fault) => {
    const job = await waiting('production');
    bulletins = [promoted('live')];
    github.fault = () => fault;
    await answerTurn(ports());
    await answerTurn(ports());
    expect(job.answer).toBeNull();
    github.fault = () => null;
    await answerTurn(ports());
    expect(job.answer).toMatchObject({ state: 'approved' });
  });

  it('has its answer once, also when GitHub took it and lost the word about that', async () => {
    const job = await waiting('production');
    bulletins = [promoted('live')];
    github.fault = (route) => (route === 'POST rule' ? { kind: 'loses_answer' } : null);
    await answerTurn(ports());
    expect(job.answer).not.toBeNull();
    github.fault = () => null;
    await answerTurn(ports());
    expect(await register.take(8, 0)).toEqual([]);
    // The second try is the one that GitHub complains about, and the only one.
    expect(github.complaints.splice(0)).toEqual(['an answer after the answer']);
  });

  it('is forgotten when its run is gone', async () => {
    await register.ask({ id: 'gone', kind: 'rule', repository, commit, environment: 'production', run: 1, pull: null });
    bulletins = [promoted('live')];
    await answerTurn(ports());
    expect(await register.take(8, 0)).toEqual([]);
  });
});

it('leaves GitHub alone for as long as that has said, whoever asks', async () => {
  await waiting('production');
  bulletins = [promoted('live')];
  github.fault = () => ({ kind: 'rate_limited', status: 429, retryAfterSeconds: 7 });
  expect(await answerTurn(ports())).toBe(7_000);
});

describe('a merge queue that waits for a check', () => {
  let head: string;

  beforeEach(() => {
    head = github.push(repository, { 'main.js': 'merged' }, { to: 'nowhere' });
  });

  async function queued(pull: number | null) {
    const from = github.checks.length;
    await register.ask({
      id: `queue/${(runs += 1)}`,
      kind: 'queue',
      repository,
      commit: head,
      environment: null,
      run: null,
      pull,
    });
    await answerTurn(ports());
    return github.checks.slice(from).map(({ name, headSha, conclusion }) => [name, headSha, conclusion]);
  }

  it('gets one under the name of each prototype, by what was decided about the head of the pull request', async () => {
    bulletins = [
      promoted('waiting_for_human', { asked: 'passed' }),
      promoted('blocked', { number: 2, prototype: 'billing' }),
    ];
    expect(await queued(1)).toEqual([
      ['Proviso (atlas)', head, 'success'],
      ['Proviso (billing)', head, 'failure'],
    ]);
    bulletins = [promoted('waiting_for_human', { asked: 'waiting' })];
    expect(await queued(1)).toEqual([['Proviso (atlas)', head, 'failure']]);
  });

  it('is answered even where nothing was promoted, or nobody knows which pull request it is about', async () => {
    for (const pull of [1, null]) expect(await queued(pull)).toEqual([['Proviso', head, 'failure']]);
  });

  it('is told no only when everything that was promoted meanwhile is known', async () => {
    isFollowed = false;
    expect(await queued(1)).toEqual([]);
    [isFollowed, bulletins] = [true, [promoted('live')]];
    await answerTurn(ports());
    expect(github.checks.at(-1)).toMatchObject({ headSha: head, conclusion: 'success' });
  });

  it('is answered when GitHub is back', async () => {
    bulletins = [promoted('live')];
    github.fault = (route) => (route === 'POST check-runs' ? { kind: 'breaks' } : null);
    expect(await queued(1)).toEqual([]);
    github.fault = () => null;
    await answerTurn(ports());
    expect(github.checks.at(-1)).toMatchObject({ name: 'Proviso (atlas)', conclusion: 'success' });
  });
});
