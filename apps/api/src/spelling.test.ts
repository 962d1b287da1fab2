import { request } from 'node:http';
import { type Role, roles } from '@proviso/domain';
import { type Holding, type MatrixRow, type Whose, matrixRows } from './authority-matrix.ts';
import { type Browser, pairingQuery, signedInBy } from './browser.contract.ts';
import { type Deployment, atApproval, grantToken, listening, pickText } from './deployment.contract.ts';
import {
  type Ground,
  addressOf,
  bodyFor,
  formFor,
  groundOf,
  isExceptional,
  openGround,
  sameSite,
} from './doors.contract.ts';
import { type Route, routeKey } from './route.ts';
import { routes } from './routes.ts';

// Every route × every role × each of the three places × every spelling of an address. Who has which right is told by the
// matrix, which `matrix.test.ts` holds against the plain spelling; no spelling is to give anybody more.

let ground: Ground;
let here: Deployment;
/** Each holding once in each workspace; those of *here* have a prototype and a promotion of their own. */
let holders: Readonly<Record<'here' | 'there', readonly Holder[]>>;

beforeAll(async () => {
  ground = await openGround();
  here = ground.here;
  holders = await openHolders();
}, 60_000);

afterAll(async () => {
  await here.close();
});

interface Person {
  readonly id: `psn_${string}`;
  readonly token: string;
}

/** Somebody with one role or another’s right to vote, and what they built and asked for. */
interface Holder extends Person {
  readonly holding: Holding;
  readonly browser: Browser;
  readonly own: Ground;
}

const held: readonly Holding[] = [
  ...(['builder', 'approver', 'operator', 'policy-owner', 'auditor', 'administrator', 'edge', 'delegate'] as const),
];

async function openHolders(): Promise<typeof holders> {
  const there = pickText((await here.ask('eve', 'GET', '/v1/me')).body, 'workspace', 'id') as `wsp_${string}`;
  const found: { here: Holder[]; there: Holder[] } = { here: [], there: [] };
  for (const holding of held) {
    found.here.push(await withWorkOfTheirOwn(holding));
    const stranger = await newcomer('eve', { ...here, workspace: there }, rolesOf(holding));
    if (holding === 'delegate') await giveRight('eve', stranger);
    found.there.push({ ...stranger, holding, browser: await signedInBy(here, stranger.token), own: ground });
  }
  return found;
}

function rolesOf(holding: Holding): readonly Role[] {
  return roles.filter((role) => role === holding);
}

/** Somebody new, let in by an administrator. */
async function newcomer(by: 'ada' | 'eve', into: Deployment, has: readonly Role[]): Promise<Person> {
  const granted = has.map((role) => (role === 'approver' ? { role, group: 'security' } : { role }));
  const added = await here.post(by, '/v1/people', { name: `New ${has.join()}`, roles: granted });
  const id = pickText(added.body, 'id') as Person['id'];
  return { id, token: await grantToken(into, id) };
}

async function giveRight(by: 'sam' | 'eve', { id }: Person): Promise<void> {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const { status } = await here.post(by, `/v1/people/${id}/delegations`, { until });
  expect(status).toBe(201);
}

/** Built while they were a builder; what they may do since is by their holding alone, and it stays their own work. */
async function withWorkOfTheirOwn(holding: Holding): Promise<Holder> {
  const person = await newcomer('ada', here, [...new Set(['builder', ...rolesOf(holding)] as const)]);
  const name = `of-${holding}`;
  const own = await groundOf(here, await atApproval(inNameOf(person), name), name);
  if (holding !== 'builder') await here.post('ada', `/v1/people/${person.id}/roles/revoke`, { role: 'builder' });
  if (holding === 'delegate') await giveRight('sam', person);
  return { ...person, holding, browser: await signedInBy(here, person.token), own };
}

/** The same deployment, in which somebody else does what Bea would do. */
function inNameOf({ token }: Person): Deployment {
  const ask: Deployment['ask'] = (actor, method, url, more = {}) => {
    const headers = actor === 'bea' ? { ...more.headers, authorization: `Bearer ${token}` } : more.headers;
    return here.ask(actor === 'bea' ? null : actor, method, url, { ...more, ...(headers && { headers }) });
  };
  return { ...here, ask, post: (actor, url, payload) => ask(actor, 'POST', url, { payload }) };
}

type Spelling = readonly [name: string, spelt: (address: string) => string, method?: 'HEAD'];

const spellings: readonly Spelling[] = [
  ['plain', (address) => address],
  ['//', (address) => address.replace('/', '//')],
  ['// within', (address) => address.replace(/\/([^/]+)$/, '//$1')],
  [
    '%61',
    (address) =>
      address.replace(/\/([a-z])(?=[^/]*$)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
  ],
  ['trailing slash', (address) => `${address}/`],
  ['upper case', (address) => address.replace(/[^/]+$/, (last) => last.toUpperCase())],
  ['HEAD', (address) => address, 'HEAD'],
];

/** Live events never end, so an answer to them is looked at over a socket, in `matrix.test.ts`. */
const rows = matrixRows().filter(
  ({ route, kind }) => route.path !== '/v1/events' && (kind === 'human' || kind === 'any'),
);

/** One request: a row of the matrix, asked by one role, under one spelling. */
interface Try {
  readonly row: MatrixRow;
  readonly holder: Holder;
  readonly spelling: Spelling;
}

/** Somebody of the other workspace asks for our things; whatever has no owner is asked for by one of ours. */
function triesOf(row: MatrixRow): readonly Try[] {
  return holders[row.whose === 'other' ? 'there' : 'here'].flatMap((holder) =>
    spellings.map((spelling) => ({ row, holder, spelling })),
  );
}

async function statusOf({ row: { route, whose }, holder, spelling }: Try): Promise<number> {
  const [, spelt, method = route.method] = spelling;
  const of = whose === 'own' ? holder.own : ground;
  const who = isLasting(route, whose) ? await newcomer('ada', here, rolesOf(holder.holding)) : holder;
  const url = spelt(addressOf(of, route, whose === 'own' ? who.id : undefined));
  // Whoever is refused too often is told to wait, and then nothing else could be seen.
  here.parts.refusals.forgive(who.id);
  if (route.access.kind === 'page') return await onPage({ route, method, url }, holder, of);
  const body = route.access.kind === 'command' && method !== 'HEAD' ? bodyFor(of, route) : sameSite;
  const headers = { ...sameSite.headers, authorization: `Bearer ${who.token}` };
  return (await here.fastify.inject({ ...body, method, url, headers })).statusCode;
}

/** Done about oneself, nobody would be left who could ask for more. */
function isLasting({ name }: Route, whose: Whose): boolean {
  return whose === 'own' && ['disablePerson', 'erasePerson'].includes(name);
}

async function onPage(
  { route, method, url }: { readonly route: Route; readonly method: string; readonly url: string },
  holder: Holder,
  of: Ground,
): Promise<number> {
  const browser = route.path === '/logout' ? await signedInBy(here, holder.token) : holder.browser;
  if (method === 'POST') return (await browser.post(url, formFor(of, route))).status;
  if (method === 'GET') return (await browser.get(route.path === '/login/cli' ? `${url}?${pairingQuery}` : url)).status;
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return (await here.fastify.inject({ method: 'HEAD', url, headers: { cookie } })).statusCode;
}

/** Which answers the matrix allows, whatever the spelling; that there is nothing under a spelling is always one. */
function isAllowed({ row: { route, whose, cells }, holder: { holding } }: Try, status: number): boolean {
  const cell = cells[holding];
  if (cell === '403/404' || cell === '404') return cell.includes(String(status));
  const refused =
    cell.endsWith('403') ||
    (cell === 'vote' && holding !== 'approver' && holding !== 'delegate') ||
    isExceptional(route);
  // The right is there; that nobody votes in their own stead says the state, later.
  const isOwnStead = route.name === 'delegate' && whose === 'own';
  return refused || isOwnStead ? status === 403 : ![401, 403, 500].includes(status);
}

/** Pages first, since another door ends the sessions of whoever asks it to; and what is read before it is changed. */
function turnOf({ access, method }: Route): number {
  return (access.kind === 'page' ? 0 : 2) + (method === 'GET' ? 0 : 1);
}

/** As many as the connections of the deployment keep busy. */
const atOnce = 24;

async function inBatches<Item>(items: readonly Item[], each: (item: Item) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce) await Promise.all(items.slice(from, from + atOnce).map(each));
}

describe('however an address is spelt', () => {
  it('each role gets what the matrix says, of its own things, of a colleague’s and of another workspace’s', async () => {
    const begunAt = performance.now();
    const tries = rows.toSorted((one, other) => turnOf(one.route) - turnOf(other.route)).flatMap(triesOf);
    const told = new Map<string, Record<'answered' | 'refused' | 'nothing', number>>();
    const wrong: string[] = [];
    await inBatches(tries, async (one) => {
      const status = await statusOf(one);
      const [name] = one.spelling;
      const { route, whose } = one.row;
      const seen = told.get(name) ?? { answered: 0, refused: 0, nothing: 0 };
      told.set(name, seen);
      seen[status === 404 ? 'nothing' : status === 403 ? 'refused' : 'answered'] += 1;
      // Of another thing, or of none, a spelling may tell less than the plain one; never more.
      const isLess = name !== 'plain' && [403, 404].includes(status);
      if (!isLess && !isAllowed(one, status))
        wrong.push(`${routeKey(route.method, route.path)} ${whose} ${one.holder.holding} ${name}: ${status}`);
    });
    expect(wrong).toEqual([]);
    // Where the router sees through a spelling, what lies behind is the very same door.
    expect(told.get('%61')?.refused).toBe(told.get('plain')?.refused);
    const lines = [...told].map(
      ([name, { answered, refused, nothing }]) =>
        `${name.padEnd(15)} ${answered} answered, ${refused} refused, ${nothing} where nothing is`,
    );
    const [seconds, counted] = [Math.round((performance.now() - begunAt) / 1_000), `${held.length} holdings, 3 places`];
    process.stdout.write(
      `${routes.length} routes, ${counted}: ${tries.length} requests in ${seconds} s\n${lines.join('\n')}\n`,
    );
  }, 240_000);

  it('nobody gets in, and a page shows the way to sign in', async () => {
    for (const route of routes.filter(({ access }) => access.kind !== 'public'))
      for (const [trick, spelt, method = route.method] of spellings) {
        const url = spelt(addressOf(ground, route));
        const sent = route.access.kind === 'page' && method === 'POST' ? formOfNobody : {};
        const { statusCode: status, headers } = await here.fastify.inject({ method, url, ...sent });
        const toLogin = [302, 303].includes(status) && String(headers.location).startsWith('/login?to=');
        const isRight = status === 404 || (route.access.kind === 'page' ? toLogin || status === 403 : status === 401);
        expect([url, trick, isRight, status]).toEqual([url, trick, true, status]);
      }
  });

  it('who has no role is refused wherever they are refused by the plain spelling', async () => {
    const headers = { authorization: `Bearer ${here.tokens.nil}` };
    for (const route of routes.filter(
      ({ access, path }) => /read|command|edge/.test(access.kind) && !/events$/.test(path),
    )) {
      const body = route.access.kind === 'command' ? bodyFor(ground, route) : {};
      const statuses: number[] = [];
      for (const [, spelt, method = route.method] of spellings) {
        here.parts.refusals.forgive(here.people.nil);
        const url = spelt(addressOf(ground, route));
        statuses.push((await here.fastify.inject({ method, url, ...(method !== 'HEAD' && body), headers })).statusCode);
      }
      const others = statuses.filter((status) => ![403, 404].includes(status));
      const key = routeKey(route.method, route.path);
      expect([key, statuses[0] === 403 ? others : []]).toEqual([key, []]);
    }
  });

  it('a way up within it leads nowhere, which is asked over a socket, since clients tidy it away', async () => {
    const { port } = new URL(await listening(here));
    const ask = (method: string, path: string) =>
      new Promise<number | undefined>((told, failed) => {
        const headers = { authorization: `Bearer ${here.tokens.max}` };
        const sent = request({ port, method, path, headers }, (answer) => {
          answer.resume();
          told(answer.statusCode);
        });
        sent.on('error', failed).end();
      });
    for (const route of routes)
      for (const way of ['/..', '/.', '/%2e%2e', '/v1/people/..', '/healthz/..']) {
        const path = `${way}${addressOf(ground, route)}`;
        expect([path, await ask(route.method, path)]).toEqual([path, 404]);
      }
  });

  it('another method is another door, and there is none', async () => {
    const known = new Set(routes.map(({ method, path }) => routeKey(method, path)));
    const methods = ['HEAD', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;
    for (const route of routes)
      for (const method of methods.filter((one) => !known.has(routeKey(one, route.path)))) {
        const headers = { authorization: `Bearer ${here.tokens.max}` };
        const { statusCode } = await here.fastify.inject({ method, url: addressOf(ground, route), headers });
        expect([method, route.path, statusCode]).toEqual([method, route.path, 404]);
      }
  });
});

/** Of a page of ours, as far as a browser says; nobody is signed in in it. */
const formOfNobody = {
  payload: '',
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
};
