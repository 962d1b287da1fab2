import { randomUUID } from 'node:crypto';
import { pairingQuery, signedIn, voteForm } from './browser.contract.ts';
import {
  type Actor,
  type Deployment,
  atApproval,
  openDeployment,
  pickText,
  policySource,
} from './deployment.contract.ts';
import type { Route } from './route.ts';

/** A deployment with one thing of each kind, for tests that go through every door. */
export interface Ground {
  readonly here: Deployment;
  readonly things: Awaited<ReturnType<typeof atApproval>>;
  readonly lane: string;
  readonly webhook: string;
  /** A document that the promotion’s first gate rests on. */
  readonly evidence: string;
}

/** Opens one; close its deployment in `afterAll`. */
export async function openGround(): Promise<Ground> {
  const here = await openDeployment();
  return await groundOf(here, await atApproval(here, 'doors'), 'doors');
}

/** The ground around somebody’s promotion, with a webhook of this name. */
export async function groundOf(here: Deployment, things: Ground['things'], name: string): Promise<Ground> {
  const read = await here.parts.journal.reads(here.workspace).promotion(things.promotion);
  const hook = { name, address: 'https://hooks.example/secret-path', types: ['dev.proviso.promotion.*'] };
  const webhook = pickText((await here.post('olga', '/v1/webhooks', hook)).body, 'webhook', 'id');
  const evidence = read?.state.gates[0]?.evidence[0]?.digest ?? '';
  return { here, things, lane: read?.state.lanes.production ?? '', webhook, evidence };
}

/** The address of a thing of ours for a route; of people Kim, unless it is to be another. */
export function addressOf(
  { here, things, lane, webhook, evidence }: Ground,
  { path }: Route,
  person = here.people.kim,
): string {
  const noun = path.split('/')[2] ?? '';
  if (path.startsWith('/decide/')) return path.replace(':id', things.gate);
  const ids: Record<string, string> = {
    gates: things.gate,
    lanes: lane,
    me: things.promotion,
    // Another door of this very table shuts Kim out, and nobody votes in the stead of others then.
    people: path.endsWith('delegations') && person === here.people.kim ? here.people.max : person,
    policies: things.policy,
    promotions: things.promotion,
    prototypes: things.prototype,
    webhooks: webhook,
  };
  return path
    .replace(':id', ids[noun] ?? '')
    .replace(':digest', evidence)
    .replace(':version', '1');
}

/** Roles of the cast; `nil` has none. */
export const heldBy: Partial<Record<Actor, string>> = {
  bea: 'builder',
  sam: 'approver',
  olga: 'operator',
  petra: 'policy-owner',
  aud: 'auditor',
  ada: 'administrator',
  edge: 'edge',
};

/** What comes of a page's door in a browser, which no service has. */
export async function onPage(ground: Ground, actor: Actor, route: Route) {
  const { here } = ground;
  const browser = await signedIn(here, actor);
  if (route.method === 'GET')
    return await browser.get(`${addressOf(ground, route)}${route.path === '/login/cli' ? `?${pairingQuery}` : ''}`);
  return await browser.post(addressOf(ground, route), formFor(ground, route));
}

/** A form that is well-formed, so that only rights can be in the way of it. */
export function formFor({ here, things }: Ground, { path }: Route): Record<string, string> {
  const key = randomUUID();
  if (path === '/account/provider') return { key };
  if (path === '/account/github') return { key, login: 'nobody-there' };
  if (path === '/account/unlink') return { key, issuer: 'github', subject: `sha256:${'0'.repeat(64)}` };
  if (path === '/account/delegations/end') return { key, person: here.people.max };
  if (path === '/account/delegations') return { ...sentOnce(), person: here.people.max, until: '2026-01-01T00:00:00Z' };
  if (path === '/decide/:id') return voteForm(things.digests, { attempt: '99' });
  if (path.endsWith('/defer')) return { ...sentOnce(), attempt: '1', until: '2026-01-01T00:00:00Z' };
  if (path.endsWith('/waivers'))
    return { ...sentOnce(), gate: 'readiness', attempt: '1', finding: '', until: '2026-01-01T00:00:00Z' };
  if (path.endsWith('/waivers/approve')) return { ...sentOnce(), waiver: `wvr_${'0'.repeat(32)}` };
  if (path.endsWith('/comments')) return sentOnce();
  if (!path.startsWith('/decide/:id/')) return {};
  const { artifactDigest } = things.digests;
  const more = path.endsWith('approve') ? { artifactDigest } : path.endsWith('review') ? {} : { minutes: '5' };
  return { ...sentOnce(), ...more };
}

function sentOnce() {
  return { key: randomUUID(), reason: 'test' };
}

/** What a browser says of a request from a page of ours. */
export const sameSite = { headers: { 'sec-fetch-site': 'same-origin' } };

/** The policy of the tests lets nobody agree to an exception, and no token breaks a glass. */
export function isExceptional({ name }: Route): boolean {
  return /^(approveWaiver|reviewBreakGlass|(ask|approve)(BreakGlass|BreakGlassOnPage|WaiverOnPage))$/.test(name);
}

/** A body that is well-formed, so that only rights can be in the way of a command. */
export function bodyFor({ here, things }: Ground, { path, name }: Route) {
  const digests = things.digests;
  const bodies: Record<string, object> = {
    addPerson: { name: 'New' },
    grantRole: { role: 'auditor' },
    revokeRole: { role: 'auditor' },
    issueToken: {},
    issueOwnToken: { scopes: ['read'] },
    revokeOwnToken: { token: `tok_${'0'.repeat(32)}` },
    revokeToken: { token: `tok_${'0'.repeat(32)}` },
    registerPrototype: { name: 'doors' },
    assignOwner: { owner: here.people.bea },
    trustPrototype: { trusted: false },
    freezeCandidate: { version: 'v2', git: { path: 'x', commit: 'main' } },
    publishPolicy: { source: policySource },
    agreeToPolicy: { digest: digests.artifactDigest },
    assignTier: { tier: null },
    trustWorkload: {
      ...{ name: 'CI', issuer: 'https://ci.example', audience: 'a', repository: 'team/app', ref: 'refs/heads/main' },
    },
    distrustWorkload: { service: here.people.nil },
    addEvidence: { kind: 'tests', commit: '0'.repeat(40), contentBase64: 'aGVsbG8=' },
    openPromotion: { prototype: things.prototype, candidate: things.candidate, policy: things.policy },
    addComment: { text: 'test' },
    decide: { verdict: 'approve', attempt: 99, ...digests },
    askWaiver: { owner: here.people.olga, until: '2026-01-01T00:00:00Z', reason: 'test' },
    approveWaiver: { waiver: `wvr_${'0'.repeat(32)}` },
    askBreakGlass: { reason: 'test' },
    approveBreakGlass: { artifactDigest: digests.artifactDigest },
    reviewBreakGlass: { reason: 'test' },
    delegate: { until: '2026-01-01T00:00:00Z' },
    endDelegation: {},
    deferGate: { until: '2026-01-01T00:00:00Z' },
    rerunGate: {},
    disablePerson: {},
    erasePerson: {},
    setVariable: { name: 'LOG_LEVEL', value: 'info' },
    unsetVariable: { name: 'LOG_LEVEL' },
    bindSecret: { name: 'MAIL_KEY', reference: { from: 'file', path: 'mail-key' } },
    unbindSecret: { name: 'MAIL_KEY' },
    rotateSecret: { name: 'MAIL_KEY' },
    setLimits: {},
    endSessions: {},
    addWebhook: { name: 'again', address: 'https://hooks.example/', types: ['dev.proviso.gate.*'] },
    changeWebhook: { types: ['dev.proviso.gate.*'], active: true },
    rotateWebhook: {},
    removeWebhook: {},
    resendDelivery: { delivery: `dlv_${'0'.repeat(32)}` },
  };
  const stopping = /cancel|rollback|pause|advance|hold|resume|retire/.test(path) ? { reason: 'test' } : {};
  return { payload: bodies[name] ?? stopping };
}
