import { openPump } from '@proviso/journal';
import {
  type Answer,
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  openDeployment,
  pick,
  pickText,
} from './deployment.contract.ts';
import { signedIn } from './browser.contract.ts';
import { formFor } from './doors.contract.ts';
import { type Route, routeKey } from './route.ts';
import { routes } from './routes.ts';

let here: Deployment;
let things: Awaited<ReturnType<typeof atApproval>>;
let lane: string;
let evidence: string;
let webhook: string;

/** What `eve` of the workspace *there* sends, well-formed and hers, so that only the foreign id can be in the way. */
let bodies: Readonly<Record<string, object>>;

beforeAll(async () => {
  here = await openDeployment();
  things = await atApproval(here, 'ours');
  const read = await here.parts.journal.reads(here.workspace).promotion(things.promotion);
  lane = read?.state.lanes.production ?? '';
  evidence = read?.state.gates[0]?.evidence[0]?.digest ?? '';
  for (const role of ['auditor', 'edge'])
    expect((await here.post('eve', `/v1/people/${here.people.eve}/roles`, { role })).status).toBe(200);
  bodies = {
    grantRole: { role: 'auditor' },
    revokeRole: { role: 'auditor' },
    issueToken: { scopes: ['read'] },
    revokeToken: { token: `tok_${'0'.repeat(32)}` },
    disablePerson: {},
    erasePerson: {},
    assignOwner: { owner: here.people.eve },
    trustPrototype: { trusted: true },
    freezeCandidate: { version: 'v2', git: { path: 'x', commit: 'main' } },
    cancelPromotion: { reason: 'mine' },
    rollbackPromotion: { reason: 'mine' },
    pausePromotion: { reason: 'mine' },
    unpausePromotion: { reason: 'mine' },
    advancePromotion: { reason: 'mine' },
    decide: { verdict: 'approve', attempt: 0, ...things.digests },
    rerunGate: {},
    deferGate: { until: '2100-01-01T00:00:00Z' },
    askWaiver: { owner: here.people.eve, until: '2100-01-01T00:00:00Z', reason: 'mine' },
    approveWaiver: { waiver: `wvr_${'0'.repeat(32)}` },
    askBreakGlass: { reason: 'mine' },
    approveBreakGlass: { artifactDigest: things.digests.artifactDigest },
    reviewBreakGlass: { reason: 'mine' },
    delegate: { until: '2100-01-01T00:00:00Z' },
    endDelegation: {},
    retireLane: { reason: 'mine' },
    holdLane: { reason: 'mine' },
    resumeLane: { reason: 'mine' },
    trustWorkload: {
      ...{ name: 'CI', issuer: 'https://ci.example', audience: 'a', repository: 'team/app', ref: 'refs/heads/main' },
    },
    distrustWorkload: { service: here.people.eve },
    addEvidence: { kind: 'tests', commit: '0'.repeat(40), contentBase64: 'aGVsbG8=' },
    setVariable: { name: 'LOG_LEVEL', value: 'info' },
    unsetVariable: { name: 'LOG_LEVEL' },
    bindSecret: { name: 'MAIL_KEY', reference: { from: 'file', path: 'mail-key' } },
    unbindSecret: { name: 'MAIL_KEY' },
    rotateSecret: { name: 'MAIL_KEY' },
    changeWebhook: { types: ['dev.proviso.gate.*'], active: true },
    rotateWebhook: {},
    removeWebhook: {},
    resendDelivery: { delivery: `dlv_${'0'.repeat(32)}` },
  };
  const hook = { name: 'ours', address: 'https://hooks.example/', types: ['dev.proviso.gate.*'] };
  webhook = pickText((await here.post('olga', '/v1/webhooks', hook)).body, 'webhook', 'id');
});

afterAll(async () => {
  await here.close();
});

/** The address of a thing of the workspace *here*, and of one that was never anywhere. */
function addressesOf({ path }: Route): readonly [foreign: string, missing: string] {
  const none = '0'.repeat(31);
  const byNoun: Record<string, readonly [string, string]> = {
    gates: [things.gate, `gate_${none}7-approval`],
    lanes: [lane, `lane_${none}7`],
    people: [here.people.kim, `psn_${none}7`],
    policies: [things.policy, `pol_${none}7`],
    promotions: [things.promotion, `prm_${none}7`],
    prototypes: [things.prototype, `pro_${none}7`],
    webhooks: [webhook, `whk_${none}7`],
  };
  const [foreign, missing] = byNoun[path.split('/')[2] ?? ''] ?? ['', ''];
  const at = (id: string, digest: string) => path.replace(':id', id).replace(':digest', digest);
  return [at(foreign, evidence), at(missing, `sha256:${'0'.repeat(64)}`)];
}

/** The same for a page, whose things are gates. */
function pageAddressesOf({ path }: Route): readonly [foreign: string, missing: string] {
  return [path.replace(':id', things.gate), path.replace(':id', `gate_${'0'.repeat(31)}7-approval`)];
}

/** All of a page that its reader could tell two of them apart by: not the number of the request. */
function shownOn({ status, headers, text }: Answer) {
  const { date: _date, 'x-request-id': request, traceresponse: _response, ...others } = headers;
  return { status, others, text: text.replaceAll(String(request), 'request') };
}

async function asEve(route: Route, url: string): Promise<Answer> {
  here.parts.refusals.forgive(here.people.eve);
  const payload = bodies[route.name];
  return here.ask('eve', route.method, url, payload === undefined ? {} : { payload });
}

/** All of an answer that its reader could tell two of them apart by. */
function told({ status, headers, body }: Answer) {
  const { requestId: _request, traceId: _trace, ...rest } = body;
  const { date: _date, 'x-request-id': _id, traceresponse: _response, ...others } = headers;
  return { status, rest, others };
}

describe('a thing of another workspace', () => {
  it('is answered exactly like one that does not exist, at every door that takes an id', async () => {
    // Pages are for browsers, and have their own test: with a token they only ever show the way to sign in.
    const named = routes.filter(({ path, access }) => path.includes('/:') && access.kind !== 'page');
    const notFound: string[] = [];
    for (const route of named) {
      const [foreign, missing] = addressesOf(route);
      const [one, other] = [await asEve(route, foreign), await asEve(route, missing)];
      expect([routeKey(route.method, route.path), told(one)]).toEqual([
        routeKey(route.method, route.path),
        told(other),
      ]);
      // Only a body that is wrong by itself is told before anything is looked up.
      expect([routeKey(route.method, route.path), one.status]).toEqual([
        routeKey(route.method, route.path),
        route.method !== 'GET' && bodies[route.name] === undefined && one.status === 422 ? 422 : 404,
      ]);
      if (one.status === 404) notFound.push(route.name);
    }
    expect(notFound.length).toBeGreaterThan(25);
  });

  it('is answered the same at every page, shown or sent, in a browser that is freshly signed in', async () => {
    const browser = await signedIn(here, 'eve');
    const pages = routes.filter(({ path, access }) => path.includes('/:') && access.kind === 'page');
    for (const route of pages) {
      const form = formFor({ here, things, lane, webhook, evidence }, route);
      const answers = [];
      for (const url of pageAddressesOf(route)) {
        here.parts.refusals.forgive(here.people.eve);
        // A page of ours is looked at first: forms carry the proof that it was.
        await browser.get('/account');
        answers.push(route.method === 'GET' ? await browser.get(url) : await browser.post(url, form));
      }
      const [one, other] = answers.map(shownOn);
      expect([routeKey(route.method, route.path), one]).toEqual([routeKey(route.method, route.path), other]);
      expect([routeKey(route.method, route.path), one?.status]).toEqual([routeKey(route.method, route.path), 404]);
    }
    expect(pages.length).toBeGreaterThan(6);
  });

  it('is unknown in every body and query that names it', async () => {
    const mine = pickText((await here.post('eve', '/v1/prototypes', { name: 'hers' })).body, 'id');
    const pairs: readonly (readonly [string, (which: 0 | 1) => Promise<Answer>])[] = [
      [
        'openPromotion',
        (which) =>
          here.post('eve', '/v1/promotions', {
            prototype: [things.prototype, `pro_${'7'.repeat(32)}`][which],
            candidate: [things.candidate, `cnd_${'7'.repeat(32)}`][which],
            policy: [things.policy, `pol_${'7'.repeat(32)}`][which],
          }),
      ],
      [
        'a policy of elsewhere',
        (which) =>
          here.post('eve', '/v1/promotions', {
            prototype: mine,
            candidate: things.candidate,
            policy: [things.policy, `pol_${'7'.repeat(32)}`][which],
          }),
      ],
      ['owner', (which) => here.post('eve', `/v1/prototypes/${mine}/owner`, { owner: person(which) })],
      ['actsFor', (which) => here.post('eve', '/v1/people', { name: 'Bot', kind: 'agent', actsFor: person(which) })],
      [
        'the filter of promotions',
        (which) =>
          here.ask('eve', 'GET', `/v1/promotions?prototype=${[things.prototype, `pro_${'7'.repeat(32)}`][which]}`),
      ],
      [
        'the cursor of promotions',
        (which) => here.ask('eve', 'GET', `/v1/promotions?after=${[things.promotion, `prm_${'7'.repeat(32)}`][which]}`),
      ],
    ];
    for (const [what, send] of pairs) {
      here.parts.refusals.forgive(here.people.eve);
      expect([what, told(await send(0))]).toEqual([what, told(await send(1))]);
    }
  });

  it('takes no longer and no shorter to be denied than a missing one, at a page as well', async () => {
    const browser = await signedIn(here, 'eve');
    const gets = routes.filter(({ method, path }) => method === 'GET' && path.includes('/:'));
    const ask = async (url: string) =>
      void (url.startsWith('/decide/') ? await browser.get(url) : await here.ask('eve', 'GET', url));
    const urls: readonly (readonly [string, readonly [string, string]])[] = gets.flatMap((route) => {
      if (route.access.kind === 'page') return [[route.path, pageAddressesOf(route)] as const];
      return route.access.kind === 'read' ? [[route.path, addressesOf(route)] as const] : [];
    });
    const lines: string[] = [];
    for (const [path, [foreign, missing]] of urls) {
      const took: [number[], number[]] = [[], []];
      // Interleaved and in turns, so that what slows the machine slows both.
      for (let round = 0; round < 200; round += 1) {
        for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
          const began = performance.now();
          await ask(which === 0 ? foreign : missing);
          took[which].push(performance.now() - began);
        }
      }
      const [one, other] = [median(took[0]), median(took[1])];
      lines.push(
        `${path.padEnd(34)} other ${one.toFixed(2)} ms  missing ${other.toFixed(2)} ms  apart ${Math.abs(one - other).toFixed(2)} ms`,
      );
      expect([path, Math.abs(one - other) < 10 || Math.max(one, other) / Math.min(one, other) < 1.5]).toEqual([
        path,
        true,
      ]);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
  }, 120_000);
});

describe('two workspaces of one deployment', () => {
  it('share no list, no name and no key', async () => {
    const [ours, hers] = [
      await here.post('bea', '/v1/prototypes', { name: 'twin' }, 'the-same-key'),
      await here.post('eve', '/v1/prototypes', { name: 'twin' }, 'the-same-key'),
    ];
    expect([ours.status, hers.status]).toEqual([201, 201]);
    expect(pick(ours.body, 'id')).not.toBe(pick(hers.body, 'id'));
    const again = await here.post('eve', '/v1/prototypes', { name: 'twin' }, 'the-same-key');
    expect(pick(again.body, 'id')).toBe(pick(hers.body, 'id'));
    for (const list of ['people', 'prototypes', 'policies', 'promotions', 'lanes', 'workspaces']) {
      const ids = async (actor: 'aud' | 'eve') =>
        ((await here.ask(actor, 'GET', `/v1/${list}`)).body['items'] as { id: string }[]).map(({ id }) => id);
      const [one, other] = [await ids('aud'), await ids('eve')];
      expect([list, one.filter((id) => other.includes(id))]).toEqual([list, []]);
    }
    expect((await here.ask('eve', 'GET', '/v1/me')).body).toMatchObject({ workspace: { name: 'there' } });
  });

  it('share a stored document only when both have it of their own', async () => {
    expect((await here.ask('aud', 'GET', `/v1/evidence/${evidence}`)).status).toBe(200);
    expect((await here.ask('eve', 'GET', `/v1/evidence/${evidence}`)).status).toBe(404);
    const archive = archiveOf('the very same bytes');
    const ours = pickText((await here.post('bea', '/v1/prototypes', { name: 'same-one' })).body, 'id');
    const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${ours}/candidates`, formOf('v1', archive));
    const artifact = pickText(frozen.body, 'candidate', 'artifactDigest');
    for (const door of ['evidence', 'edge/blobs'])
      expect([door, (await here.ask('eve', 'GET', `/v1/${door}/${artifact}`)).status]).toEqual([door, 404]);
    const hers = pickText((await here.post('eve', '/v1/prototypes', { name: 'same-one' })).body, 'id');
    const again = await here.ask('eve', 'POST', `/v1/prototypes/${hers}/candidates`, formOf('v1', archive));
    expect(again.body).toMatchObject({ created: true, candidate: { artifactDigest: artifact } });
    for (const door of ['evidence', 'edge/blobs'])
      expect([door, (await here.ask('eve', 'GET', `/v1/${door}/${artifact}`)).status]).toEqual([door, 200]);
  });

  it('hear nothing of each other in live events, and give the edge nothing of each other', async () => {
    const { incarnation } = await here.parts.journal.reads(here.workspace).log();
    const pump = await openPump({ url: here.pumpUrl, durable: false });
    const leadership = await pump.lead('sequencer');
    while (((await leadership?.sequence(1_000)) ?? 0) > 0);
    await leadership?.resign();
    await pump.close();
    await here.app.listen(0, '127.0.0.1');
    const left = new AbortController();
    const response = await fetch(`${await here.app.getUrl()}/v1/events`, {
      headers: { authorization: `Bearer ${here.tokens.eve}`, 'last-event-id': `${incarnation}.0` },
      signal: left.signal,
    });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.includes('candidate_frozen')) break;
    }
    left.abort();
    const seen = [...text.matchAll(/"streamId":"([^"]+)"/g)].map(([, id]) => id);
    expect(seen).toContain(here.people.eve);
    for (const id of [things.promotion, things.prototype, lane, here.people.kim, here.workspace])
      expect(seen).not.toContain(id);
    const report = { edge: 'hers', boot: 'one', lanes: [] };
    const orders = await here.post('eve', '/v1/edge/orders', report);
    expect(orders.status).toBe(200);
    expect(JSON.stringify(orders.body)).not.toContain(lane);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function person(which: 0 | 1): string {
  return which === 0 ? here.people.kim : `psn_${'7'.repeat(32)}`;
}
