import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { packed, stoodStill, uploadedCandidate } from './candidate.ts';
import { type Door, openDoor } from './door.ts';
import { registered } from './journey.ts';
import { filesBelow, historiesOf, tablesText } from './kept-places.ts';
import { killsPolicy } from './policy.ts';
import { openStage, type Stage } from './stage.ts';

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'proviso-attack-'));

/** Texts that must be found nowhere but where they were put on purpose. */
const planted = {
  key: `sk_live_${'9Qx7Zt3Lm8Vb2Kc5'.repeat(2)}`,
  environment: 'Wolframite-4471-Pelican',
  address: 'quirin.zapfenstreich@example.org',
  name: 'Quirin Zapfenstreich',
  reason: 'the periwinkle clause of Ottokar is missing',
} as const;

let stage: Stage;
let bea: Door;
let olga: Door;
let pia: Door;
const sources = new Set<string>();
const answers: string[] = [];

beforeAll(async () => {
  const policy = killsPolicy.replaceAll('attemptsMax: 10', 'attemptsMax: 1');
  stage = await openStage({ codeRoot: projectRoot, projectRoot, folder, policy });
  const { people } = stage.cast;
  [bea, olga, pia] = [people.bea, people.olga, people.pia].map((one) => openDoor(stage.apiUrl, one, [])) as [
    Door,
    Door,
    Door,
  ];
}, 120_000);

afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

const talks = `const words = [process.env.API_SECRET, '${planted.address}', ['sk', 'live', '${planted.key.slice(8)}'].join('_')].join(' and ');`;
const server = (answer: string) => `import { createServer } from 'node:http';
${talks}
console.log(words);
createServer((request, answer) => { ${answer} }).listen(process.env.PORT, '127.0.0.1');
`;

/** Prototypes that tell what they know: as their last words, on error pages, in their code. */
const tellers = {
  last: `${talks}\nconsole.error('cannot go on with ' + words);\nprocess.exit(3);\n`,
  pages: server(
    `answer.statusCode = request.url === '/healthz' ? 200 : 500; answer.end(request.url === '/healthz' ? 'ok' : words);`,
  ),
  code: `const key = '${planted.key}';\n${server('answer.end(key);')}`,
} as const;

function archive(kind: keyof typeof tellers): Uint8Array<ArrayBuffer> {
  const cases = Array.from(
    { length: 12 },
    (_, index) => `- id: case-${index}\n  request: { method: GET, path: /q${index} }\n  expect: { status: 200 }\n`,
  );
  const contract = `prototype: tells-${kind}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], readyWithin: 2s, environment: { API_SECRET: ${planted.environment} } }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.05 }
`;
  const files = { 'server.mjs': tellers[kind], 'cases.yaml': cases.join(''), 'proviso.yaml': contract };
  for (const content of Object.values(files)) sources.add(createHash('sha256').update(content).digest('hex'));
  return packed(files);
}

interface Shown {
  readonly state: string;
  readonly headline: string;
}

async function promoted(kind: keyof typeof tellers): Promise<string> {
  const prototype = await registered({ bea, olga }, `tells-${kind}`);
  const candidate = await uploadedCandidate(bea, { prototype, version: 'v1', archive: archive(kind) });
  const policy = stage.cast.policies.kills?.id;
  const { id } = await bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy });
  await stoodStill<Shown>(bea, id, (shown) => answers.push(JSON.stringify(shown)));
  return id;
}

/** Asks for what must be refused, with what must not be repeated. */
async function refusedAnswers(): Promise<void> {
  const { token } = stage.cast.people.bea;
  const send = async (path: string, body: string, authorization: string) => {
    const headers = { authorization, 'content-type': 'application/json' };
    answers.push(await (await fetch(stage.apiUrl + path, { method: 'POST', headers, body })).text());
  };
  const wrong = [
    JSON.stringify({ reason: { text: planted.reason } }),
    JSON.stringify({ reason: `${planted.reason} `.repeat(200) }),
    `{"reason": "${planted.reason}`,
    JSON.stringify({ name: `${planted.name}\n`, email: `${planted.address} `, kind: planted.key }),
  ];
  for (const body of wrong) {
    for (const path of ['/v1/people', `/v1/promotions/prm_${'0'.repeat(32)}/cancel`, '/v1/prototypes', '/v1/policies'])
      await send(path, body, `Bearer ${token}`);
  }
  await send(`/v1/promotions/${encodeURIComponent(planted.address)}`, '{}', `Bearer ${token}x`);
  await send(`/v1/people?name=${encodeURIComponent(planted.name)}`, '{}', `Bearer ${token}`);
}

async function superuserQuery(text: string, values: readonly string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: stage.superuserUrl });
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

async function metrics(): Promise<readonly (readonly [string, string])[]> {
  const urls = [`${stage.apiUrl}/metrics`, `${stage.control.url}/metrics`];
  return await Promise.all(urls.map(async (url) => [url, await (await fetch(url)).text()] as const));
}

describe('what nobody else may know', () => {
  it('is in no row, log, history, evidence, answer or counter', async () => {
    const promotions = await Promise.all((['last', 'pages', 'code'] as const).map(promoted));
    const { name, address: email, reason } = planted;
    const added = await pia.post<{ id: string }>('/v1/people', { name, email, roles: [{ role: 'auditor' }] });
    const { token } = await pia.post<{ token: string }>(`/v1/people/${added.id}/tokens`, {});
    await bea.post(`/v1/promotions/${promotions[0]}/cancel`, { reason });
    await refusedAnswers();
    const evidence = filesBelow(stage.evidenceFolder).map((path) => [path, readFileSync(path)] as const);
    const kept = evidence.filter(([, bytes]) => !sources.has(createHash('sha256').update(bytes).digest('hex')));
    expect(evidence.length - kept.length).toBeGreaterThan(4);
    const places = [
      ...(await tablesText(stage.superuserUrl)),
      ...filesBelow(stage.logFolder).map((path) => [path, readFileSync(path, 'utf8')] as const),
      ...kept.map(([path, bytes]) => [path, bytes.toString('utf8')] as const),
      ...historiesOf(stage.temporal),
      ...(await metrics()),
      ['answers', answers.join('\n')] as const,
    ];
    expect(places.length).toBeGreaterThan(25);
    const tokens = { token, beas: stage.cast.people.bea.token, control: stage.control.token };
    const found = Object.entries({ ...planted, ...tokens }).flatMap(([what, text]) =>
      places
        .filter(([, held]) => held.includes(text))
        .map(([place, held]) => {
          const at = held.indexOf(text);
          return `${what} in ${place}: ${held.slice(Math.max(0, at - 150), at)}`;
        }),
    );
    expect(found).toEqual([]);
  }, 120_000);
});

describe('a connection that is lost at its commit', () => {
  it.each(['sent', 'completed'] as const)(
    'when it was %s leaves one truth, which the same key tells',
    async (phase) => {
      const { id: prototype } = await bea.post<{ id: string }>('/v1/prototypes', { name: `lost-${phase}` });
      const { caught } = stage.proxies.api.catchAt(
        (moment) =>
          moment.phase === phase && moment.statement === 'COMMIT' && moment.writes && moment.words.includes(prototype),
      );
      const trust = async () => {
        const headers = {
          authorization: `Bearer ${stage.cast.people.olga.token}`,
          ...{ 'content-type': 'application/json', 'idempotency-key': `lost-${phase}` },
        };
        const body = JSON.stringify({ trusted: true });
        const answer = await fetch(`${stage.apiUrl}/v1/prototypes/${prototype}/trust`, {
          method: 'POST',
          headers,
          body,
        });
        return [answer.status, ((await answer.json()) as { code?: string }).code];
      };
      const first = trust();
      (await caught).cut();
      // After its completion it is found under its key; before it nobody may say that nothing was recorded.
      expect(await first).toEqual(phase === 'completed' ? [200, undefined] : [503, 'outcome_unknown']);
      expect(await trust()).toEqual([200, undefined]);
      const { rows } = await superuserQuery(`select 1 from proviso.entry where stream_id = $1 and kind = $2`, [
        prototype,
        'prototype_trusted',
      ]);
      expect(rows).toHaveLength(1);
    },
    30_000,
  );
});

describe('an upload that is too large', () => {
  it('is 413 and costs the server little memory', async () => {
    const { id: prototype } = await bea.post<{ id: string }>('/v1/prototypes', { name: 'too-large' });
    const residentMb = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stage.parts.api.pid()}/status`, 'utf8'))?.[1]) / 1_024;
    const before = residentMb();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMb());
    }, 20);
    const statuses = await Promise.all([1, 2].map(async () => await bigUpload(prototype)));
    clearInterval(watch);
    expect(statuses).toEqual([413, 413]);
    expect(most - before).toBeLessThan(150);
  }, 60_000);
});

/** One byte more than an archive may have, by a socket, since a client would stop at the first answer. */
function bigUpload(prototype: string): Promise<number> {
  const { port } = new URL(stage.apiUrl);
  const part = `--b\r\ncontent-disposition: form-data; name="archive"; filename="a.zip"\r\ncontent-type: application/zip\r\n\r\n`;
  const sizeBytes = 100 * 1024 * 1024 + 1;
  const head = `POST /v1/prototypes/${prototype}/candidates HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stage.cast.people.bea.token}\r\n`;
  const chunk = Buffer.alloc(1024 * 1024, 'PK\x03\x04');
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => resolve(0));
    socket.on('data', (data) => {
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1]));
      socket.destroy();
    });
    const length = part.length + sizeBytes + '\r\n--b--\r\n'.length;
    socket.write(`${head}content-type: multipart/form-data; boundary=b\r\ncontent-length: ${length}\r\n\r\n${part}`);
    let sent = 0;
    const pour = (): void => {
      while (sent < sizeBytes && !socket.destroyed) {
        const next = chunk.subarray(0, Math.min(chunk.length, sizeBytes - sent));
        sent += next.length;
        if (!socket.write(next)) return void socket.once('drain', pour);
      }
      if (!socket.destroyed) socket.write('\r\n--b--\r\n');
    };
    pour();
  });
}
