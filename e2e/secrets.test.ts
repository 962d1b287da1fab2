import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { packed, stoodStill, uploadedCandidate } from './candidate.ts';
import { type Door, openDoor } from './door.ts';
import { registered } from './journey.ts';
import { filesBelow, historiesOf, tablesText } from './kept-places.ts';
import { openOwnStage, type OwnStage } from './own-stage.ts';

/** Values that must be found nowhere but where they lie and in the process that needs them. */
const planted = {
  environment: 'Wolframite-4471-Pelican',
  file: 'Obsidian-9034-Kestrel',
  production: 'Malachite-1187-Bittern',
  first: 'Spodumene-6620-Plover',
  rotated: 'Rhodonite-6620-Plover',
  typed: 'Turquoise-5512-Avocet',
} as const;

const policy = `policy: kills
environment: production
gates:
  - gate: readiness
    attemptsMax: 2
  - gate: evaluation
    bar: 0.5
    repeats: 1
    attemptsMax: 2
  - gate: staging
    attemptsMax: 2
  - gate: approval
    requirements:
      - from: group/security
        count: 1
    expires: 1h
  - gate: canary
    weights: [50]
    look: 250ms
    dwell: 500ms
    deadline: 3m
    attemptsMax: 2
`;

/** Says its secrets to its output, in its answers and on its error pages, and at last in its last words. */
const teller = `import { createServer } from 'node:http';
const words = process.env.MAIL_KEY + ' and ' + process.env.FILE_KEY;
console.log(words);
createServer((request, answer) => {
  if (request.url === '/end') { console.error('cannot go on with ' + words); process.exit(3); }
  if (request.url === '/healthz') return answer.end('ok');
  answer.statusCode = request.url === '/error' ? 500 : 200;
  answer.end('told ' + words + ' and ' + encodeURIComponent(words));
}).listen(process.env.PORT, process.env.HOST);
`;
const cases = Array.from(
  { length: 12 },
  (_, index) =>
    `- id: case-${index}\n  request: { method: GET, path: /q${index} }\n  expect: { status: 200, contains: ${index === 0 ? 'nothing of the kind' : 'told'} }\n`,
);
const contract = `prototype: teller
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run:
  kind: node
  start: [server.mjs]
  readyWithin: 10s
  secrets: [{ name: MAIL_KEY }, { name: FILE_KEY }]
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }, { path: /error, expect: { status: 500 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.05 }
`;

interface Shown {
  readonly state: string;
  readonly headline: string;
  readonly gates: readonly {
    readonly id: string;
    readonly name: string;
    readonly status: string;
    readonly attempt: number;
    readonly artifactDigest: string;
    readonly evidenceDigest: string | null;
    readonly reasons: readonly { readonly code: string; readonly message: string }[];
  }[];
}

let stage: OwnStage;
const answers: string[] = [];

beforeAll(async () => {
  const edgeEnvironment = { SECRET_MAIL: planted.environment, SECRET_LIVE: planted.production };
  stage = await openOwnStage('secrets', { policy, edgeEnvironment });
}, 120_000);

afterAll(async () => {
  await stage.close();
});

function put(name: string, value: string): void {
  writeFileSync(join(stage.secretFolder, name), `${value}\n`);
  chmodSync(join(stage.secretFolder, name), 0o600);
}

/** Looks until something holds, with a bound that two busy cores keep. */
async function until<Found>(what: string, look: () => Promise<Found | null>): Promise<Found> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`expected ${what}, got nothing within a minute`);
    await pause(100);
  }
}

async function visited(host: string, path = '/'): Promise<{ status: number; text: string }> {
  const { request } = await import('node:http');
  const { hostname, port } = new URL(stage.routerUrl);
  return await new Promise((done, fail) => {
    request({ hostname, port, path, headers: { host } }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += String(part);
      });
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }));
      answer.on('error', fail);
    })
      .on('error', fail)
      .end();
  });
}

const gateOf = (shown: Shown, name: string) => shown.gates.find((gate) => gate.name === name);
const files = { 'server.mjs': teller, 'cases.yaml': cases.join(''), 'proviso.yaml': contract };

interface Scenery {
  readonly bea: Door;
  readonly sam: Door;
  readonly olga: Door;
  readonly prototype: string;
  readonly lanes: { readonly staging: string; readonly production: string };
  readonly host: string;
}

async function laid(): Promise<Scenery> {
  const door = (who: 'bea' | 'sam' | 'olga') => openDoor(stage.apiUrl, stage.cast.people[who], []);
  const [bea, sam, olga] = [door('bea'), door('sam'), door('olga')];
  const prototype = await registered({ bea, olga }, 'teller');
  const { lanes } = await bea.get<Pick<Scenery, 'lanes'>>(`/v1/prototypes/${prototype}`);
  const { host } = await bea.get<{ host: string }>(`/v1/lanes/${lanes.production}`);
  return { bea, sam, olga, prototype, lanes, host };
}

function bind({ olga }: Scenery, lane: string, name: string, reference: object): Promise<object> {
  return olga.post<object>(`/v1/lanes/${lane}/secrets`, { name, reference });
}

/** A value where a place belongs. */
async function typeValue({ lanes }: Scenery): Promise<void> {
  const headers = { authorization: `Bearer ${stage.cast.people.olga.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'MAIL_KEY', reference: { from: 'environment', name: planted.typed } });
  const path = `${stage.apiUrl}/v1/lanes/${lanes.staging}/secrets`;
  const answer = await fetch(path, { method: 'POST', headers, body });
  answers.push(await answer.text());
  expect(answer.status).toBe(422);
}

/** As far as the canary, which asks for production's own secrets. */
async function promoted(here: Scenery): Promise<string> {
  const { bea, sam, prototype, lanes } = here;
  const candidate = await uploadedCandidate(bea, { prototype, version: 'v1', archive: packed(files) });
  await bind(here, lanes.staging, 'MAIL_KEY', { from: 'environment', name: 'SECRET_MAIL' });
  await bind(here, lanes.staging, 'FILE_KEY', { from: 'file', path: 'mail' });
  const opening = { prototype, candidate, policy: stage.cast.policies.kills?.id };
  const { id } = await bea.post<{ id: string }>('/v1/promotions', opening);
  const waiting = await stoodStill<Shown>(bea, id, (shown) => answers.push(JSON.stringify(shown)));
  expect([waiting.state, waiting.headline]).toEqual(['waiting_for_human', expect.any(String)]);
  answers.push(JSON.stringify(await sam.get<object>(`/v1/promotions/${id}/preview`)));
  const { id: gate, attempt, artifactDigest, evidenceDigest } = gateOf(waiting, 'approval') ?? {};
  await sam.post<object>(`/v1/gates/${gate}/decisions`, {
    ...{ verdict: 'approve', attempt, artifactDigest, evidenceDigest },
  });
  const blocked = await until('the canary to ask', async () => {
    const shown = await bea.get<Shown>(`/v1/promotions/${id}`);
    return gateOf(shown, 'canary')?.status === 'inconclusive' ? shown : null;
  });
  answers.push(JSON.stringify(blocked));
  const canary = gateOf(blocked, 'canary');
  expect(canary?.reasons.map(({ message }) => message.split(':')[0])).toEqual([
    'production has no value for MAIL_KEY',
    'production has no value for FILE_KEY',
  ]);
  await bind(here, lanes.production, 'MAIL_KEY', { from: 'environment', name: 'SECRET_LIVE' });
  await bind(here, lanes.production, 'FILE_KEY', { from: 'file', path: 'live' });
  await bea.post<object>(`/v1/gates/${canary?.id}/rerun`, {});
  return id;
}

/** What a prototype says to its own users is its own, and shows which value it has. */
async function untilToldUsers({ host }: Scenery, value: string): Promise<void> {
  await until(`users to be told ${value}`, async () => ((await visited(host)).text.includes(value) ? true : null));
}

async function laneAtEdge(lane: string): Promise<string> {
  const headers = { authorization: `Bearer ${stage.control.token}` };
  return await (await fetch(`${stage.control.url}/lanes/${lane}`, { headers })).text();
}

/** Another value in production, and then the same one in staging. */
async function rotated(here: Scenery): Promise<void> {
  const { olga, lanes } = here;
  const rotate = (lane: string) => olga.post<object>(`/v1/lanes/${lane}/secrets/rotate`, { name: 'FILE_KEY' });
  put('live', planted.rotated);
  await rotate(lanes.production);
  await untilToldUsers(here, planted.rotated);
  put('mail', planted.rotated);
  await rotate(lanes.staging);
  const shared = await until('the refusal', async () => {
    const text = await laneAtEdge(lanes.staging);
    return text.includes('secret_shared') ? text : null;
  });
  answers.push(shared);
}

async function lastWords({ host, lanes }: Scenery): Promise<void> {
  const said = await until('its last words', async () => {
    // Only a share of the visitors meets the canary.
    await visited(host, '/end').catch(() => undefined);
    const text = await laneAtEdge(lanes.production);
    return text.includes('ended with code 3') ? text : null;
  });
  answers.push(said);
}

async function heldPlaces(): Promise<readonly (readonly [string, string])[]> {
  const sources = new Set(Object.values(files).map((text) => createHash('sha256').update(text).digest('hex')));
  const kept = filesBelow(stage.evidenceFolder)
    .map((path) => [path, readFileSync(path)] as const)
    .filter(([, bytes]) => !sources.has(createHash('sha256').update(bytes).digest('hex')));
  return [
    ...(await tablesText(stage.superuserUrl)),
    ...filesBelow(stage.logFolder).map((path) => [path, readFileSync(path, 'utf8')] as const),
    ...kept.map(([path, bytes]) => [path, bytes.toString('utf8')] as const),
    ...historiesOf(stage.temporal),
    ['the state of the edge', readFileSync(join(stage.folder, 'edge', 'state.json'), 'utf8')] as const,
    ['answers', answers.join('\n')] as const,
  ];
}

it('a secret is in no row, log, history, evidence, answer or page, whatever its prototype does with it', async () => {
  put('mail', planted.file);
  put('live', planted.first);
  const here = await laid();
  const { bea, olga, lanes, host } = here;
  await typeValue(here);
  const id = await promoted(here);
  await untilToldUsers(here, planted.production);
  await rotated(here);
  await lastWords(here);
  await olga.post<object>(`/v1/promotions/${id}/rollback`, { reason: 'it talks too much' });
  const pages = await Promise.all([visited(host, '/nothing'), visited('nobody.localhost')]);
  answers.push(...pages.filter(({ text }) => !text.startsWith('told')).map(({ text }) => text));
  answers.push(JSON.stringify(await bea.get<object>(`/v1/lanes/${lanes.production}/configuration`)));
  answers.push(JSON.stringify(await bea.get<object>(`/v1/promotions/${id}/history`)));
  const places = await heldPlaces();
  expect(places.length).toBeGreaterThan(25);
  const found = Object.entries(planted).flatMap(([what, value]) =>
    [value, encodeURIComponent(value), Buffer.from(value).toString('base64')].flatMap((form) =>
      places.filter(([, held]) => held.includes(form)).map(([place]) => `${what} in ${place}`),
    ),
  );
  expect(found).toEqual([]);
}, 300_000);
