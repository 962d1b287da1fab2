import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type GateName, builtinPrincipals, idFrom } from '@proviso/domain';
import { openJournal, openPump } from '@proviso/journal';
import { createDatabase, tarOf } from '@proviso/testkit';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { assemble } from './assembly.ts';
import type { Config } from './config.ts';
import { found } from './founding.ts';
import { hashOfToken } from './hash-of-token.ts';
import { openLog } from './log.ts';
import type { Parts } from './parts.ts';
import { routeKey } from './route.ts';
import { routesByKey } from './routes.ts';
import { createServer } from './server.ts';

/** Who asks in the tests: builders, approvers, one of each other role; `max` has all, `nil` none, `eve` is elsewhere. */
export const cast = ['bea', 'sam', 'kim', 'olga', 'petra', 'aud', 'ada', 'edge', 'nil', 'max', 'eve'] as const;
/** One of them. */
export type Actor = (typeof cast)[number];

/** An answer with its body read as JSON where it is some. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What lies in a body under a path; undefined when nothing does. */
export function pick(body: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined), body);
}

/** The text that must lie there. */
export function pickText(body: unknown, ...path: readonly (string | number)[]): string {
  const found = pick(body, ...path);
  if (typeof found !== 'string')
    throw new Error(`expected a text at ${path.join('/')}, got ${typeof found} in ${JSON.stringify(body)}`);
  return found;
}

/** A whole API on a database of its own, with people of two workspaces. */
export interface Deployment {
  readonly app: NestFastifyApplication;
  readonly fastify: FastifyInstance;
  readonly parts: Parts;
  readonly workspace: `wsp_${string}`;
  readonly people: Readonly<Record<Actor, `psn_${string}`>>;
  readonly tokens: Readonly<Record<Actor, string>>;
  readonly appUrl: string;
  readonly evidence: string;
  readonly pumpUrl: string;
  readonly superuserUrl: string;
  readonly ask: (
    actor: Actor | null,
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    more?: InjectOptions,
  ) => Promise<Answer>;
  readonly post: (actor: Actor | null, url: string, body: object, key?: string) => Promise<Answer>;
  /** Puts a version of a prototype into a repository at GitHub; null: versions are sent as archives. */
  readonly push: Push | null;
  readonly close: () => Promise<void>;
}

/** A new commit with one file of these words, in a repository of the prototype's own. */
export type Push = (
  prototype: string,
  words: string,
) => { readonly owner: string; readonly repository: string; readonly commit: string };

/** The policy of the tests: two approvals by different people. */
export const policySource = `policy: careful
gates:
  - gate: readiness
  - gate: approval
    requirements:
      - from: group/security
        count: 2
  - gate: canary
    weights: [10, 50]
    look: 1s
    dwell: 1s
`;

const bindings = {
  bea: [{ role: 'builder' }, { role: 'approver', group: 'security' }],
  sam: [{ role: 'approver', group: 'security' }],
  kim: [{ role: 'approver', group: 'security' }],
  olga: [{ role: 'operator' }],
  petra: [{ role: 'policy-owner' }],
  aud: [{ role: 'auditor' }],
  ada: [{ role: 'administrator' }],
  edge: [{ role: 'edge' }],
  nil: [],
  max: (['builder', 'operator', 'policy-owner', 'administrator', 'approver', 'edge'] as const).map((role) => ({
    role,
  })),
} as const;

/** Opens one; close it in `afterAll`. */
export async function openDeployment(over: Partial<Config> = {}, push: Push | null = null): Promise<Deployment> {
  const database = await createDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'proviso-api-test-'));
  const { vaultKeyHex, appUrl: url } = database;
  const journal = await openJournal({ url, connectionsMax: 8, origin: 'test', vaultKeyHex, durable: false });
  const config = {
    githubApi: 'http://127.0.0.1:9',
    githubToken: null,
    gitRoot: null,
    temporaryFolder: folder,
    timeZone: 'UTC',
    previewKeyHex: 'ab'.repeat(32),
    edgePublicUrl: 'http://127.0.0.1:7080',
    vaultKeyHex,
    workloadIssuers: [],
    publicUrl: 'http://127.0.0.1:7070',
    oidc: null,
    webhookReach: 'private' as const,
    corsOrigins: [],
    slack: null,
    github: null,
    evidence: join(folder, 'evidence'),
    ...over,
  };
  const parts = assemble(config, journal, openLog('silent'));
  const ports = { journal, store: parts.store, now: Date.now(), randomBytes };
  const chosen = over.oidc?.workspace ?? over.slack?.workspace ?? over.github?.workspace;
  const id = chosen === undefined ? {} : { id: chosen };
  const here = await found(ports, {
    workspace: { ...id, name: 'here' },
    people: peopleHere(),
    policies: [{ source: policySource }],
  });
  const eve = { key: 'eve', name: 'Eve', principal: 'human' as const, token: true as const };
  const roles = ['builder', 'operator', 'policy-owner', 'administrator'] as const;
  const stranger = {
    ...eve,
    bindings: [...roles.map((role) => ({ role })), { role: 'approver' as const, group: 'security' }],
  };
  const there = await found(ports, { workspace: { name: 'there' }, people: [stranger], policies: [] });
  const all = { ...here.people, ...there.people };
  const app = await createServer(parts);
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const tokens = byActor((actor) => all[actor]?.token ?? '');
  const ask = asker(fastify, tokens);
  return {
    app,
    fastify,
    parts,
    workspace: here.workspace,
    people: byActor((actor) => all[actor]?.id ?? 'psn_'),
    tokens,
    appUrl: url,
    evidence: config.evidence,
    push,
    pumpUrl: database.pumpUrl,
    superuserUrl: database.superuserUrl,
    ask,
    post: (actor, address, body, key) =>
      ask(actor, 'POST', address, { payload: body, headers: key === undefined ? {} : { 'idempotency-key': key } }),
    close: async () => {
      parts.feed.close();
      parts.metrics.close();
      await app.close();
      await journal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function peopleHere() {
  return Object.entries(bindings).map(([key, held]) => ({
    key,
    name: `Name of ${key}`,
    principal: key === 'edge' ? ('service' as const) : ('human' as const),
    bindings: [...held],
    token: true as const,
  }));
}

function byActor<Value>(of: (actor: Actor) => Value): Record<Actor, Value> {
  return Object.fromEntries(cast.map((actor) => [actor, of(actor)])) as Record<Actor, Value>;
}

/** Asks and holds every good answer against what the document promises for it: a schema, or a content type. */
function asker(fastify: FastifyInstance, tokens: Readonly<Record<Actor, string>>): Deployment['ask'] {
  return async (actor, method, url, more = {}) => {
    const authorization = actor === null ? {} : { authorization: `Bearer ${tokens[actor]}` };
    const response = await fastify.inject({ ...more, method, url, headers: { ...authorization, ...more.headers } });
    const isJson = String(response.headers['content-type'] ?? '').includes('json');
    const body = isJson && response.body !== '' ? (JSON.parse(response.body) as Record<string, unknown>) : {};
    const { statusCode: status, headers } = response;
    expectPromised({ method, url, status, type: String(headers['content-type'] ?? ''), body });
    return { status, headers, body, text: response.body };
  };
}

function expectPromised(answer: { method: string; url: string; status: number; type: string; body: unknown }): void {
  const schema = routesByKey.get(routeKey(answer.method, patternOf(answer.url)))?.answers[answer.status];
  if (schema === undefined) return;
  if (typeof schema === 'string') {
    if (schema.split(', ').some((type) => answer.type.startsWith(type))) return;
    throw new Error(`expected ${answer.url} to answer with ${schema}, got ${answer.type}`);
  }
  const told = schema.safeParse(answer.body);
  if (!told.success) throw new Error(`expected ${answer.url} to answer as promised: ${told.error.message}`);
}

function patternOf(url: string): string {
  const path = url.split('?')[0] ?? '';
  return path.replace(/\/((pro|cnd|pol|prm|psn|lane|gate|whk)_[^/]+)/, '/:id').replace(/\/sha256:[^/]+/, '/:digest');
}

/** A small archive whose content differs with the words. */
export function archiveOf(words: string): Buffer {
  return gzipSync(tarOf([{ path: 'app/main.js', content: Buffer.from(words) }]));
}

/** A form with a file, as a browser sends it. */
export function formOf(version: string, archive: Buffer): InjectOptions {
  const boundary = `x${randomUUID()}`;
  const part = (head: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`;
  const payload = Buffer.concat([
    Buffer.from(`${part('name="version"')}${version}\r\n${part('name="archive"; filename="a.tgz"')}`),
    archive,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { payload, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}

/** A prototype of Bea's with one version, and the policy's id. */
export async function registered(here: Deployment, name: string) {
  const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
  const candidate = await frozenVersion(here, {
    prototype,
    version: 'v1',
    words: `console.log(${JSON.stringify(name)})`,
  });
  const policies = await here.ask('bea', 'GET', '/v1/policies');
  // By its name: a test may have published others, and ids are in no order that means anything.
  const items = policies.body['items'] as readonly { readonly name: string }[];
  const policy = items.find(({ name }) => name === 'careful');
  return { prototype, candidate, policy: pickText(policy, 'id') };
}

/** A version whose only file has these words, frozen from wherever this deployment takes versions. */
export async function frozenVersion(
  here: Deployment,
  { prototype, version, words }: { readonly prototype: string; readonly version: string; readonly words: string },
): Promise<string> {
  const github = here.push?.(prototype, words);
  const sent = github === undefined ? formOf(version, archiveOf(words)) : { payload: { version, github } };
  for (;;) {
    const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, sent);
    // Where a test lets GitHub be away, a builder comes again; the test's own time bounds it.
    if (frozen.body['code'] !== 'source_unavailable') return pickText(frozen.body, 'candidate', 'id');
    await pause(50);
  }
}

/** A promotion that Bea asked for, standing at its approval gate; under the policy of the tests unless told otherwise. */
export async function atApproval(here: Deployment, name: string, over: { readonly policy?: string } = {}) {
  const things = { ...(await registered(here, name)), ...over };
  const opened = await here.post('bea', '/v1/promotions', things);
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  const gate = `gate_${promotion.slice('prm_'.length)}-approval`;
  const shown = await here.ask('bea', 'GET', `/v1/gates/${gate}`);
  const digests = {
    artifactDigest: pickText(shown.body, 'artifactDigest'),
    evidenceDigest: pickText(shown.body, 'evidenceDigest'),
  };
  return { ...things, promotion, gate, digests, decisions: `/v1/gates/${gate}/decisions` };
}

/** Does what the worker does for one machine gate: claim it and report a pass, or what else is asked for. */
export async function passByWorker(
  here: Deployment,
  promotion: `prm_${string}`,
  gate: Exclude<GateName, 'approval'>,
  verdict: 'pass' | 'fail' = 'pass',
) {
  const { journal, store } = here.parts;
  const actor = builtinPrincipals.worker.id;
  const say = async (command: Parameters<typeof journal.submit>[0]['command']) => {
    const submission = {
      workspace: here.workspace,
      actor,
      command,
      idempotencyKey: randomUUID(),
      authn: 'service/worker',
    };
    const receipt = await journal.submit(submission);
    if (receipt.kind === 'refused')
      throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
    return receipt.answer;
  };
  const claim = await say({ kind: 'Claim', promotion, step: gate, claimant: 'test' });
  if (claim.kind !== 'granted') throw new Error(`expected a grant, got ${claim.kind}`);
  const { attempt, fence } = claim;
  const again = attempt === 1 ? '' : `, attempt ${attempt}`;
  const { digest } = await store.put(Buffer.from(`<b>report of ${gate} of ${promotion}</b>${again}`));
  const evidence = [{ kind: 'report', digest }];
  await say({ kind: 'Report', promotion, gate, attempt, fence, verdict, reasons: [], evidence, measure: null });
  return digest;
}

/** A token that the deployment itself issues, as at its founding: what a person issues to another does not vote. */
export async function grantToken(here: Deployment, person: string, expiresAt = Date.now() + 600_000): Promise<string> {
  const token = `prv_${randomBytes(32).toString('base64url')}`;
  const record = { id: idFrom('tok', randomUUID()), hash: hashOfToken(token), expiresAt };
  const receipt = await here.parts.journal.submit({
    ...{ workspace: here.workspace, actor: builtinPrincipals.founder.id, authn: 'test', idempotencyKey: randomUUID() },
    command: { kind: 'IssueToken', person: person as `psn_${string}`, token: record },
  });
  if (receipt.kind === 'refused') throw new Error(`expected a token to be issued, got ${receipt.refusal.code}`);
  return token;
}

/** Gives positions to all entries so far, as the worker's sequencer does. */
export async function sequence(here: Deployment): Promise<void> {
  const pump = await openPump({ url: here.pumpUrl, durable: false });
  const leadership = await pump.lead('sequencer');
  if (leadership === null) throw new Error('expected to lead');
  await leadership.sequence(10_000);
  await leadership.resign();
  await pump.close();
}

/** The address of the deployment for strangers: over a real socket. */
export async function listening(here: Deployment): Promise<string> {
  await here.app.listen(0, '127.0.0.1');
  return await here.app.getUrl();
}

/** Speaks for everybody who was refused too often within the last minute. */
export function forgiveAll(here: Deployment): void {
  for (const person of Object.values(here.people)) here.parts.refusals.forgive(person);
}
