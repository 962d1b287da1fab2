import { readFile, readdir } from 'node:fs/promises';
import { offeredKinds } from '@proviso/authority';
import { type Command, type Role, scopes } from '@proviso/domain';
import { type MatrixRow, matrixRows } from './authority-matrix.ts';
import { type Actor, type Answer, type Deployment, grantToken, listening, pickText } from './deployment.contract.ts';
import { doorActions } from './door-actions.ts';
import {
  type Ground,
  addressOf,
  bodyFor,
  heldBy,
  isExceptional,
  onPage,
  openGround,
  sameSite,
} from './doors.contract.ts';
import { type Route, routeKey } from './route.ts';
import { routes } from './routes.ts';

let ground: Ground;
let here: Deployment;
/** Principals that are no humans, each with the role that is asked for. */
let machines: Readonly<Record<'service' | 'agent', Machine>>;

beforeAll(async () => {
  ground = await openGround();
  here = ground.here;
  machines = { service: await machine('service'), agent: await machine('agent') };
});

afterAll(async () => {
  await here.close();
});

interface Machine {
  readonly id: `psn_${string}`;
  readonly token: string;
}

/** A machine that may vote by its role, with a token as wide as theirs can be. */
async function machine(kind: 'service' | 'agent'): Promise<Machine> {
  const roles = [{ role: 'approver', group: 'security' }];
  const added = await here.post('ada', '/v1/people', { name: `A ${kind}`, kind, actsFor: here.people.nil, roles });
  const id = pickText(added.body, 'id') as Machine['id'];
  const issued = await here.post('ada', `/v1/people/${id}/tokens`, { scopes });
  return { id, token: pickText(issued.body, 'token') };
}

/**
 * What is left out, and where it is instead. Live events never end, so they have a test of their own at the end. Built-in
 * principals (worker, keeper, founder, porter) have no token to come in with; who has the role `workload` comes in
 * `workloads.test.ts`, and pages of another workspace in `workspaces.test.ts`.
 */
const rows = matrixRows().filter(({ route }) => route.path !== '/v1/events');
const actors = Object.entries(heldBy) as [Actor, Role][];

/** Done, it would take a right away that later rows need, so somebody who is made for it does it. */
const lasting = ['disablePerson', 'erasePerson', 'grantRole', 'revokeRole'];

/** Somebody new with one role, and a token of their own. */
async function newcomer(role: Role): Promise<Machine> {
  const added = await here.post('ada', '/v1/people', { name: `New ${role}`, roles: [{ role }] });
  const id = pickText(added.body, 'id') as Machine['id'];
  return { id, token: await grantToken(here, id) };
}

async function asked(actor: Actor, route: Route, person?: `psn_${string}`): Promise<Pick<Answer, 'status'>> {
  // Whoever is refused too often is told to wait, and then nothing else could be seen.
  here.parts.refusals.forgive(here.people[actor]);
  if (route.access.kind === 'page') return await onPage(ground, actor, route);
  const body = route.access.kind === 'command' ? bodyFor(ground, route) : sameSite;
  return await here.ask(actor, route.method, addressOf(ground, route, person), body);
}

/** Asks about themselves. */
async function askedAs({ id, token }: Machine, route: Route): Promise<Pick<Answer, 'status'>> {
  const headers = { authorization: `Bearer ${token}` };
  return await here.ask(null, route.method, addressOf(ground, route, id), { ...bodyFor(ground, route), headers });
}

function named({ route, kind, whose }: MatrixRow): string {
  return `${routeKey(route.method, route.path)} ${kind} ${whose}`;
}

describe('the running API gives what the matrix says', () => {
  it('to each role about what is a colleague’s', async () => {
    for (const row of rows.filter(
      ({ kind, whose }) => kind !== 'service' && kind !== 'agent' && '-workspace'.includes(whose),
    ))
      for (const [actor, role] of actors) {
        const cell = row.cells[role];
        // Bea is an approver as well; on her own work, which is where votes are, that is no right.
        const isAlsoApprover = actor === 'bea' && row.cells.approver === 'yes';
        const may = cell === 'vote' ? actor === 'sam' : cell !== '403' || isAlsoApprover;
        // No service is ever signed in in a browser.
        if (actor === 'edge' && row.route.access.kind === 'page') continue;
        const isIn = (await asked(actor, row.route)).status !== 403;
        expect([named(row), role, isIn]).toEqual([named(row), role, may && !isExceptional(row.route)]);
      }
  });

  it('to each about themselves', async () => {
    const own = rows.filter(
      ({ route, kind, whose }) =>
        route.path.startsWith('/v1/people/:id') && kind !== 'service' && kind !== 'agent' && whose === 'own',
    );
    for (const row of own)
      for (const [actor, role] of actors.filter(([name]) => name !== 'edge')) {
        const cell = row.cells[role];
        // The right is there; that nobody votes in their own stead says the state, later.
        if (row.route.name === 'delegate') continue;
        const isMade = lasting.includes(row.route.name);
        const { status } = isMade
          ? await askedAs(await newcomer(role), row.route)
          : await asked(actor, row.route, here.people[actor]);
        const may = cell === 'yes' || (!isMade && actor === 'bea' && row.cells.approver === 'yes');
        expect([named(row), role, status !== 403]).toEqual([named(row), role, may]);
      }
  });

  it('to somebody of another workspace: nothing that they could tell from nothing', async () => {
    const roles: readonly Role[] = ['builder', 'operator', 'policy-owner', 'administrator', 'approver'];
    for (const row of rows.filter(
      ({ route, kind, whose }) =>
        whose === 'other' && kind !== 'service' && kind !== 'agent' && route.access.kind !== 'page',
    )) {
      const { status } = await asked('eve', row.route);
      const expected = roles.some((role) => row.cells[role] === '404') ? [404] : [403, 404];
      expect([named(row), expected.includes(status), status]).toEqual([named(row), true, status]);
    }
  });

  it('to machines: what roles give, and never a vote', async () => {
    for (const [kind, { id, token }] of Object.entries(machines)) {
      for (const row of rows.filter(
        ({ kind: of, whose }) => [kind, 'any'].includes(of) && '-workspace'.includes(whose),
      )) {
        const { route } = row;
        // Of a machine's tokens each is lent: what wants one of one's own is not for them.
        if (route.access.kind === 'page' || /OwnToken$|[dD]elegat/.test(route.name)) continue;
        here.parts.refusals.forgive(id);
        const body = route.access.kind === 'command' ? bodyFor(ground, route) : sameSite;
        const headers = { ...sameSite.headers, authorization: `Bearer ${token}` };
        const answer = await here.ask(null, route.method, addressOf(ground, route), { ...body, headers });
        expect([named(row), kind, answer.status !== 403]).toEqual([
          ...[named(row), kind, row.cells.approver !== '403' && !isExceptional(route)],
        ]);
      }
    }
    const vote = { verdict: 'approve', ...ground.things.digests };
    const headers = { authorization: `Bearer ${machines.agent.token}` };
    const answer = await here.ask(null, 'POST', ground.things.decisions, { payload: vote, headers });
    expect([answer.status, answer.body['rule']]).toEqual([403, 'humans_only']);
  });
});

describe('live events', () => {
  it('are given as the matrix says, which is looked at over a socket, since they never end', async () => {
    const url = await listening(here);
    for (const row of matrixRows().filter(({ route, kind }) => route.path === '/v1/events' && kind !== 'agent'))
      for (const [actor, role] of actors) {
        const left = new AbortController();
        const headers = { authorization: `Bearer ${here.tokens[actor]}` };
        const { status } = await fetch(`${url}/v1/events`, { headers, signal: left.signal });
        left.abort();
        expect([named(row), role, status]).toEqual([named(row), role, row.cells[role] === 'yes' ? 200 : 403]);
      }
  });
});

describe('the doors', () => {
  const commandsOf = ({ access }: Route): readonly Command['kind'][] =>
    access.kind === 'command' || access.kind === 'page' ? (access.commands ?? []) : [];

  it('of the API claim nothing, report nothing and judge nothing: that is the worker’s', () => {
    const inside = [
      'Claim',
      'Report',
      'Breakage',
      'Weigh',
      'Look',
      'Undone',
      'ClaimWatch',
      'ReportWatch',
      'Tick',
      'RaiseIncarnation',
      'RecordSweep',
      'RemoveArtifact',
      'OpenWorkspace',
    ];
    expect(routes.flatMap(commandsOf).filter((kind) => inside.includes(kind))).toEqual([]);
  });

  it('give the worker, the keeper and the founder no vote', () => {
    const votes = rows.filter(({ route }) => commandsOf(route).includes('Decide'));
    expect(votes.length).toBeGreaterThan(0);
    for (const { cells } of votes)
      for (const role of ['worker', 'keeper', 'founder', 'porter', 'edge'] as const)
        expect(cells[role]).toMatch(/^403/);
  });

  it('take no command that is offered on no thing', () => {
    const offered: ReadonlySet<string> = offeredKinds();
    expect([...new Set(routes.flatMap(commandsOf))].filter((kind) => !offered.has(kind))).toEqual([]);
  });

  it('of other surfaces lead to routes of the table, and the command line’s list is what it calls', async () => {
    const known = new Set(routes.map(({ name }) => name));
    expect(
      Object.values(doorActions)
        .flat()
        .filter((name) => !known.has(name)),
    ).toEqual([]);
    expect(await callsIn(new URL('../../cli/src/', import.meta.url))).toEqual([...doorActions.cli].toSorted());
  });
});

/** Every call of the generated client that a folder imports, by the name of its route. */
async function callsIn(folder: URL): Promise<readonly string[]> {
  const files = (await readdir(folder, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')));
  const imported = texts.flatMap((text) =>
    [...text.matchAll(/import \{([^}]*)\} from '@proviso\/client'/g)].flatMap(([, names = '']) => names.split(',')),
  );
  const calls = imported.map((name) => name.trim().split(' as ')[0] ?? '').filter((name) => /^[a-z]/.test(name));
  const routed = calls.filter((name) => !name.startsWith('type ') && name !== 'connect');
  // Its body is a stream, which the generated call cannot send.
  return [...new Set(routed.map((name) => (name === 'uploadCandidate' ? 'freezeCandidate' : name)))].toSorted();
}
