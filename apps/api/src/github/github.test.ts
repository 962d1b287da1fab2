import type { FakeGitHubDeed, FakeGitHubNote } from '@proviso/testkit';
import {
  type Deployment,
  atApproval,
  frozenVersion,
  passByWorker,
  pickText,
  policySource,
} from '../deployment.contract.ts';
import { rowsIn } from '../slack/interleaving.contract.ts';
import { until } from '../slack/slack.contract.ts';
import { repositoryOf } from './github-config.contract.ts';
import { type GitHubGround, askingCheck, githubUsers, openGitHubGround } from './github.contract.ts';

let ground: GitHubGround;
let here: Deployment;

beforeAll(async () => {
  ground = await openGitHubGround();
  here = ground.here;
});

afterAll(async () => {
  await ground.close();
});

async function gateOf({ gate }: { readonly gate: string }) {
  return (await here.ask('aud', 'GET', `/v1/gates/${gate}`)).body;
}

async function asked(name: string, over: { readonly policy?: string } = {}) {
  const scene = await atApproval(here, name, over);
  const repository = repositoryOf(scene.prototype);
  const check = await until(() => askingCheck(ground, scene.promotion));
  await until(() => sticky(repository).some(({ body }) => body.includes(scene.gate)));
  return { ...scene, repository, check };
}

/** The comment that is kept up to date on the pull request of a repository. */
function sticky(repository: string): readonly FakeGitHubNote[] {
  return ground.github.notes.filter((note) => note.repository === repository && note.body.startsWith('<!-- proviso '));
}

async function done(deed: FakeGitHubDeed): Promise<string> {
  expect(await deed.send()).toMatchObject({ status: 202 });
  return await deed.told();
}

/** A commit in that repository that no pull request has. */
function elsewhereIn(repository: string) {
  const [owner = '', name = ''] = repository.split('/');
  const commit = ground.github.push(repository, { 'app/main.js': 'elsewhere' }, { to: 'nowhere' });
  return { owner, repository: name, commit };
}

/** Another prototype, of which that commit is a version, asked about at its check run. */
async function askedFrom(name: string, github: object) {
  const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
  const sent = { payload: { version: 'v1', github } };
  const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, sent);
  const policy = pickText((await here.ask('bea', 'GET', '/v1/policies')).body, 'items', 0, 'id');
  const order = { prototype, candidate: pickText(frozen.body, 'candidate', 'id'), policy };
  const promotion = pickText((await here.post('bea', '/v1/promotions', order)).body, 'id');
  await passByWorker(here, promotion as `prm_${string}`, 'readiness');
  await until(() => askingCheck(ground, promotion));
  return { gate: `gate_${promotion.slice('prm_'.length)}-approval` };
}

describe('a promotion of a commit', () => {
  it('has one check run there and one comment on its pull request, which say the same', async () => {
    const { check, repository, digests } = await asked('first-commit');
    expect(check).toMatchObject({ name: 'Proviso (first-commit)', status: 'completed' });
    expect(check.title).toMatch(/^Waiting for Security \(0 of 2\) since /);
    expect(check.actions.map(({ label }) => label)).toEqual(['Approve']);
    const comment = await until(() => sticky(repository)[0]);
    expect(comment.body).toContain(check.summary);
    expect(check.summary).toContain(digests.artifactDigest.slice(7, 19));
    expect(ground.github.checks.filter(({ headSha }) => headSha === check.headSha)).toHaveLength(1);
    expect(ground.github.complaints).toEqual([]);
  });

  it('is answered by two presses, and both copies say so within two seconds, with nothing to press', async () => {
    const scene = await asked('two-presses');
    await until(() => sticky(scene.repository)[0]);
    const { identifier } = scene.check.actions[0] ?? { identifier: '' };
    expect(await done(ground.member('sam').press(scene.check, identifier))).toBe('`Recorded.`');
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', requirements: [{ have: 1 }] });
    expect(await done(ground.member('kim').press(scene.check, identifier))).toBe('`Recorded: the gate has passed.`');
    expect(await gateOf(scene)).toMatchObject({ status: 'passed' });
    await until(() => scene.check.actions.length === 0 && scene.check.conclusion === null, 2_000);
    await until(() => sticky(scene.repository).every(({ body }) => !body.includes('/proviso approve')), 2_000);
  });

  it('that is superseded gives its comment to the newer one, and never takes it back', async () => {
    const old = await asked('superseded-commit');
    await until(() => sticky(old.repository)[0]);
    const candidate = await frozenVersion(here, { ...old, version: 'v2', words: 'newer' });
    const opened = await here.post('bea', '/v1/promotions', {
      prototype: old.prototype,
      candidate,
      policy: old.policy,
    });
    const promotion = pickText(opened.body, 'id') as `prm_${string}`;
    await passByWorker(here, promotion, 'readiness');
    await until(() => askingCheck(ground, promotion));
    await until(() => old.check.conclusion === 'cancelled');
    const [comment, ...others] = await until(() => {
      const all = sticky(old.repository);
      return all[0]?.body.includes('`v2`') === true && all[0].body.includes('Waiting for Security') ? all : null;
    });
    expect(others).toEqual([]);
    const since = comment?.bodies.findIndex((body) => body.includes('**Proviso**: `superseded-commit` `v2`')) ?? -1;
    expect(comment?.bodies.slice(since).filter((body) => body.includes('`superseded-commit` `v1`'))).toEqual([]);
    const late = ground.member('sam').press(old.check, old.check.drawn[0]?.identifier ?? '');
    expect(await done(late)).toMatch(
      /^`A newer version has taken its place.*The newest version is v2\. \(superseded\)`$/,
    );
  });
});

describe('a press of somebody', () => {
  it('who may not decide is refused with its reason, and who could', async () => {
    const scene = await asked('refused-presses');
    const { identifier } = scene.check.actions[0] ?? { identifier: '' };
    const says = async (actor: 'bea' | 'olga' | 'sam') =>
      await done(ground.member(actor).press(scene.check, identifier));
    expect(await says('bea')).toMatch(/^`This is your own work.*\(own_work\)`$/);
    expect(await says('olga')).toMatch(/^`You may not do this.*Who can: Security\. \(not_permitted\)`$/);
    expect(await says('sam')).toBe('`Recorded.`');
    expect(await says('sam')).toMatch(/^`You have decided already.*\(already_decided\)`$/);
    expect(await done(ground.github.member(999).press(scene.check, identifier))).toMatch(
      /^`This GitHub account is not linked to a person here, so nothing was recorded\. Link it:` http.*\/account$/,
    );
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', decisions: [{ verdict: 'approve' }] });
  });

  it('on what is not current, or was never offered, counts for nothing', async () => {
    const [scene, other] = [await asked('stale-press'), await asked('other-press')];
    const sam = ground.member('sam');
    const says = async (identifier: string) => await done(sam.press(scene.check, identifier));
    expect(await says('approve-AAAAAAAAAAAA')).toMatch(/\(stale_evidence\)`$/);
    expect(await says(other.check.actions[0]?.identifier ?? '')).toMatch(/\(stale_evidence\)`$/);
    expect(await says('approve')).toMatch(/^`This check is none of ours any more/);
    const elsewhere = { ...scene.check, headSha: other.check.headSha };
    expect(await done(sam.press(elsewhere, scene.check.actions[0]?.identifier ?? ''))).toMatch(/none of ours any more/);
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
    expect(await gateOf(other)).toMatchObject({ decisions: [] });
  });
});

describe('a check run', () => {
  it('of a fork, with what stood on ours, is none of ours', async () => {
    const scene = await asked('in-a-fork');
    const { identifier } = scene.check.actions[0] ?? { identifier: '' };
    const fork = { ...scene.check, repository: 'mallory/fork' };
    const deed = ground.member('sam').press(fork, identifier);
    expect(await deed.send()).toMatchObject({ outcome: expect.stringMatching(/^This check is none of ours/) });
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });

  it.each(['check_run', 'check_suite'] as const)('whose %s is to be run again says where it stands', async (event) => {
    const scene = await asked(`again-${event.replace('_', '-')}`);
    const { id, headSha, repository, offers } = scene.check;
    await until(async () => (await rowsIn(here, scene.promotion)).every(({ behind }) => !behind));
    const before = offers.length;
    const ours = { head_sha: headSha, app: { id: ground.github.appId } };
    const deed = ground.github.happens(event, {
      ...{ action: 'rerequested', repository: { full_name: repository }, sender: { id: 998, type: 'User' } },
      [event]: event === 'check_run' ? { id, ...ours } : ours,
    });
    expect(await deed.send()).toEqual({ status: 202, outcome: 'said again where it stands' });
    await until(() => offers.length > before);
    expect(scene.check).toMatchObject({ conclusion: 'action_required', status: 'completed' });
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', decisions: [] });
  });
});

describe('a comment', () => {
  it.each([
    ['reject', 'rejected', 'failure'],
    ['request-changes', 'changes_requested', 'action_required'],
  ])('%s wants a reason, is seen at once and answered in a line', async (word, status, conclusion) => {
    const scene = await asked(`comment-${word}`);
    const sam = ground.member('sam');
    expect(await done(sam.write(scene.repository, `/proviso ${word}`))).toMatch(/^`Say why behind the word/);
    const deed = sam.write(scene.repository, `/proviso ${word} too long\r\nby @half`);
    expect(await done(deed)).toMatch(/^`Recorded/);
    await until(() => deed.note?.reactions.includes('eyes'));
    expect(await gateOf(scene)).toMatchObject({ status, decisions: [{ verdict: word.replace('-', '_') }] });
    const history = await here.ask('aud', 'GET', `/v1/promotions/${scene.promotion}/history`);
    expect(JSON.stringify(history.body)).toContain('too long\\nby @half');
    await until(() => scene.check.conclusion === conclusion && scene.check.actions.length === 0);
  });

  it('approves the head of its pull request, and nothing when the head is another by now', async () => {
    const scene = await asked('head-moves');
    expect(await done(ground.member('sam').write(scene.repository, '/proviso approve'))).toBe('`Recorded.`');
    const moved = ground.github.push(scene.repository, { 'app/main.js': 'not promoted' });
    expect(await done(ground.member('kim').write(scene.repository, '/proviso approve'))).toBe(
      `\`No version of the head commit ${moved.slice(0, 12)} is promoted here: nothing was recorded.\``,
    );
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', requirements: [{ have: 1 }] });
  });

  it('counts for nothing under which somebody moves the head to what is asked about elsewhere', async () => {
    const seen = await asked('seen-here');
    const { owner, repository, commit } = elsewhereIn(seen.repository);
    const other = await askedFrom('asked-elsewhere', { owner, repository, commit });
    ground.github.fault = (route) => {
      if (route === 'GET pull') ground.github.pull(seen.repository).head = commit;
      return null;
    };
    const told = await done(ground.member('sam').write(seen.repository, '/proviso approve'));
    ground.github.fault = () => null;
    expect(told).toMatch(
      /^`This is not what you were shown any more.*comment on this pull request.*\(stale_evidence\)`$/,
    );
    expect([await gateOf(seen), await gateOf(other)]).toMatchObject([{ decisions: [] }, { decisions: [] }]);
  });

  it('that was written before the asking was there is refused, however late it comes', async () => {
    const before = Date.now() - 60_000;
    const scene = await asked('written-before');
    const deed = ground.member('sam').write(scene.repository, '/proviso approve', { createdAt: before });
    expect(await done(deed)).toMatch(/^`This is not what you were shown any more.*\(stale_evidence\)`$/);
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });

  it.each([
    ['on its second line', 'Looks good.\n/proviso approve', {}],
    ['quoted', '> /proviso approve', {}],
    ['indented', '    /proviso approve', {}],
    ['in other letters', '/Proviso approve', {}],
    ['as a part of a word', '/provisoapprove', {}],
    ['edited', '/proviso approve', { action: 'edited' }],
    ['deleted', '/proviso approve', { action: 'deleted' }],
    ['by a machine', '/proviso approve', { type: 'Bot' }],
    ['in the words of somebody else', '/proviso approve', { writer: 103 }],
    ['by an app in the name of its person', '/proviso approve', { app: 9 }],
    ['below an issue', '/proviso approve', { isIssue: true }],
  ] as const)('with the command %s is no command', async (kind, body, more) => {
    const scene = await asked(`no-command-${kind.replaceAll(' ', '-')}`);
    const deed = ground.member('sam').write(scene.repository, body, more);
    expect(await deed.send()).toEqual({ status: 202, outcome: 'nothing of ours' });
    expect(deed.note?.reactions).toEqual([]);
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });

  it('asks for help or where it stands', async () => {
    const scene = await asked('asked-about');
    const sam = ground.member('sam');
    expect(await done(sam.write(scene.repository, '/proviso'))).toContain('/proviso approve, reject REASON');
    expect(await done(sam.write(scene.repository, '/proviso approve-all'))).toContain('/proviso approve, reject');
    expect(await done(sam.write(scene.repository, '/proviso status'))).toMatch(
      /^`“asked-about” v1: Waiting for Security .*` http.*\/decide\/gate_/,
    );
    expect(await done(sam.write(scene.repository, '/proviso rollback it breaks'))).toMatch(/\([a-z_]+\)`$/);
  });

  it('of somebody who goes on and on is not answered for ever', async () => {
    const scene = await asked('goes-on');
    const outcomes: (string | null)[] = [];
    for (let count = 0; count < 35; count += 1)
      outcomes.push(
        (await ground.github.member(998).write(scene.repository, `/proviso approve ${count}`).send()).outcome,
      );
    expect(outcomes.filter((outcome) => outcome === 'too many within a minute')).toHaveLength(5);
  });
});

describe('a gate that is not decided at GitHub', () => {
  it.each([
    ['wants a fresh sign-in', 'stepUp: true', 'step_up_required'],
    ['names other channels', 'channels: [page, rest]', 'channel_not_allowed'],
  ])('and %s has only the way to its page, and refuses a comment', async (_, line, code) => {
    const name = code.replaceAll('_', '-');
    const strict = policySource
      .replace('policy: careful', `policy: ${name}`)
      .replace('    requirements:', `    ${line}\n    requirements:`);
    const policy = pickText((await here.post('petra', '/v1/policies', { source: strict })).body, 'id');
    const scene = await asked(`only-${name}`, { policy });
    expect(scene.check.actions).toEqual([]);
    expect(scene.check.summary).toMatch(/This gate is not decided here: \[review and approve\]\(.*\/decide\/gate_/);
    const said = await done(ground.member('sam').write(scene.repository, '/proviso approve'));
    expect(said).toMatch(new RegExp(`Decide there\\. \\(${code}\\)\` http.*/decide/gate_`));
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });
});

it('what people would be asked is told to every reader as it stands on the check run', async () => {
  const scene = await asked('shown-elsewhere');
  const { body } = await here.ask('aud', 'GET', `/v1/gates/${scene.gate}/prompts`);
  const { items } = body as {
    readonly items: readonly { readonly channel: string; readonly lines: readonly string[] }[];
  };
  const lines = items.find(({ channel }) => channel === 'github')?.lines;
  expect(lines?.[0]).toBe(`Proviso (shown-elsewhere): ${scene.check.title}`);
  expect(lines?.at(-1)).toBe('[Approve]');
  expect(lines?.join(' ')).toContain(`all of it ${scene.check.detailsUrl}`);
});

it('an account that wrote the commit has no vote on it', async () => {
  const name = 'written-by-sam';
  const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
  const repository = repositoryOf(prototype);
  const commit = ground.github.push(repository, { 'app/main.js': name }, { account: githubUsers.sam });
  const github = { owner: 'Acme', repository: prototype, commit };
  const payload = { version: 'v1', github };
  const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, { payload });
  const { policy } = await asked('beside-sams');
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  await passByWorker(here, pickText(opened.body, 'id') as `prm_${string}`, 'readiness');
  await until(() => askingCheck(ground, pickText(opened.body, 'id')));
  expect(await done(ground.member('sam').write(repository, '/proviso approve'))).toMatch(/\(own_work\)`$/);
  expect(await done(ground.member('kim').write(repository, '/proviso approve'))).toBe('`Recorded.`');
});
