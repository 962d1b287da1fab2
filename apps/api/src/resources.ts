import { gateNames, gateStatuses, outcomes, promotionStates, refusalCodes, roles, verdicts } from '@proviso/domain';
import { z } from 'zod';
import { breakGlassShape, delegationShape, gateExceptionFields } from './exception-shapes.ts';
import { digest, ids, secretReference, time } from './forms.ts';
import { edgeOrdersShape, releaseOrderShape } from './edge-orders-shape.ts';
import { explanationFields } from './explanation-fields.ts';
import { canaryShape, lookShape, looksShape } from './look-shapes.ts';
import { named, page } from './named-schema.ts';
import { policyReplayShape, policyShape, triedVoteShape, policyVersionShape } from './policy-shapes.ts';
import { decisionReceiptShape, receiptShape } from './receipt-shapes.ts';
import {
  addedEvidenceShape,
  broughtShape,
  issuedTokenShape,
  personalValues,
  tokenShape,
  workloadShape,
  workloadTokenShape,
} from './token-shapes.ts';
import { standingShape } from './standing-shape.ts';
import { watchShape } from './watch-view.ts';
import { limitsShape, runningShape } from './workspace-shapes.ts';

/** The answer no, RFC 9457. */
export const problemResource = named(
  'Problem',
  z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe(`a closed list; of the domain: ${refusalCodes.join(', ')}`),
    detail: z.string(),
    requestId: z.string(),
    traceId: z.string().optional(),
    rule: z.string().optional(),
    whoCan: z.array(z.string()).optional(),
    decideUrl: z.string().optional().describe('where it can be decided after a fresh login'),
    errors: z.array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
  }),
);

const binding = named(
  'Binding',
  z.strictObject({
    role: z.enum(roles),
    group: z.string().optional(),
    prototype: ids.prototype.optional(),
    environment: z.string().optional(),
  }),
);

const personRef = named('PersonRef', z.strictObject({ id: ids.person, name: z.string().nullable() }));

const token = named('Token', tokenShape);

const action = named(
  'Action',
  z.strictObject({
    rel: z.string(),
    allowed: z.boolean(),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    whoCan: z.array(z.string()),
  }),
);

/** What a reader may do, beside everything that is answered. */
export const actions = z.array(action).describe('what the reader may do about it, or why not and who could');

const person = named(
  'Person',
  z.strictObject({
    id: ids.person,
    name: z.string().nullable(),
    kind: z.enum(['human', 'service', 'agent']),
    actsFor: ids.person.nullable(),
    disabled: z.boolean(),
    erased: z.boolean().describe('nothing personal is held any more'),
    roles: z.array(binding),
    delegations: z.array(delegationShape),
    waitsForRole: z.boolean().describe('a human who signed in and was given nothing yet'),
    accounts: z.array(z.string()).describe('who vouches for the accounts by which they are known'),
    tokens: z.array(token),
    actions,
  }),
);

const workspace = named('Workspace', z.strictObject({ id: z.string(), name: z.string().nullable(), actions }));

const candidate = named(
  'Candidate',
  z.strictObject({
    id: ids.candidate,
    version: z.string(),
    manifestDigest: digest,
    artifactDigest: digest,
    parts: z.record(z.string(), digest),
    evidence: broughtShape,
    sizeBytes: z.int().nullable(),
    removed: z.boolean().describe('its files are gone: freeze it again'),
    origin: z.strictObject({
      kind: z.enum(['upload', 'git', 'github']),
      uploader: ids.person,
      authors: z.array(ids.person),
      repository: z.string().nullable(),
      commit: z.string().nullable(),
    }),
  }),
);

/** As a thing of its own; inside of others a candidate is only told. */
const offeredCandidate = named('OfferedCandidate', candidate.extend({ actions }));

const frozenCandidate = named(
  'FrozenCandidate',
  z.strictObject({
    candidate: offeredCandidate,
    created: z.boolean(),
    files: z.int(),
    sizeBytes: z.int(),
    root: z.string(),
    skipped: z.array(z.strictObject({ path: z.string(), rule: z.string() })),
  }),
);

const watch = named('Watch', watchShape).nullable().describe('null: nothing live is watched');

const prototype = named(
  'Prototype',
  z.strictObject({
    id: ids.prototype,
    name: z.string(),
    owner: ids.person.nullable(),
    trusted: z.boolean(),
    trustedBy: ids.person.nullable(),
    tier: z.string().nullable().describe('what policies may make different for it'),
    lanes: z.strictObject({ staging: ids.lane, production: ids.lane }),
    latestCandidate: candidate.nullable(),
    candidates: z.int(),
    workloads: z.array(named('Workload', workloadShape)),
    watch,
    revision: z.int().describe('its ETag'),
    actions,
  }),
);

const policy = named('Policy', policyShape.extend({ actions }));
const policyVersion = named('PolicyVersion', policyVersionShape);

const release = z.strictObject({
  id: z.string(),
  promotion: ids.promotion,
  artifactDigest: digest,
  version: z.string(),
});

const lane = named(
  'Lane',
  z.strictObject({
    id: ids.lane,
    prototype: ids.prototype,
    environment: z.enum(['staging', 'production']),
    host: z.string(),
    stable: release.nullable(),
    previous: release.nullable(),
    canary: release.nullable(),
    weight: z.int(),
    fence: z.strictObject({ incarnation: z.int(), counter: z.int() }),
    hold: z.strictObject({ reason: z.string(), by: ids.person, at: time }).nullable(),
    owner: ids.promotion.nullable(),
    queue: z.array(ids.promotion),
    leaseRemainingMs: z.number().nullable(),
    revision: z.int(),
    actions,
  }),
);

const configuration = named(
  'Configuration',
  z.strictObject({
    lane: ids.lane,
    environment: z.enum(['staging', 'production']),
    revision: z.int().describe('grows with each change; releases run with the newest'),
    variables: z.array(z.strictObject({ name: z.string(), value: z.string(), by: personRef, since: time })),
    secrets: z.array(z.strictObject({ name: z.string(), reference: secretReference, by: personRef, since: time })),
    actions,
  }),
);

const reason = named(
  'Reason',
  z.strictObject({ code: z.string(), message: z.string(), file: z.string().optional(), line: z.int().optional() }),
);

const decision = named(
  'Decision',
  z.strictObject({
    id: z.string(),
    person: personRef,
    rightOf: personRef.nullable().describe('in whose stead'),
    verdict: z.string(),
    at: time,
    artifactDigest: digest,
    evidenceDigest: digest,
    voided: z.string().nullable(),
  }),
);

const gate = named(
  'Gate',
  z.strictObject({
    id: z.string(),
    promotion: ids.promotion,
    name: z.enum(gateNames),
    status: z.enum(gateStatuses),
    attempt: z.int(),
    revision: z.int(),
    since: time,
    verdict: z.enum(verdicts).nullable(),
    reasons: z.array(reason),
    measure: z
      .strictObject({ n: z.number(), k: z.number(), lower: z.number(), upper: z.number(), method: z.string() })
      .nullable(),
    evidence: z.array(z.strictObject({ kind: z.string(), digest })),
    requirements: z.array(z.strictObject({ from: z.string(), count: z.int(), have: z.int() })),
    missing: z.string().nullable().describe('whose votes are still missing, in words; null when nobody is'),
    decisions: z.array(decision),
    expiresAt: time.nullable(),
    ...gateExceptionFields(personRef),
    artifactDigest: digest,
    evidenceDigest: digest.nullable(),
  }),
);

const promotion = named(
  'Promotion',
  z.strictObject({
    id: ids.promotion,
    prototype: ids.prototype,
    candidate,
    policy: z.strictObject({ id: ids.policy, digest, version: z.int(), name: z.string() }),
    requester: personRef,
    unknownAuthors: z.int().describe('whom the commit names and nobody here is known by: nobody was excluded for them'),
    state: z.enum(promotionStates),
    headline: z.string(),
    at: z.string().nullable().describe('the gate it is at'),
    blockers: z.array(reason),
    gates: z.array(gate),
    canary: canaryShape,
    lane: z
      .strictObject({
        id: ids.lane,
        host: z.string(),
        liveVersion: z.string().nullable(),
        liveDigest: digest.nullable(),
        held: z.boolean(),
        busy: z.boolean(),
      })
      .nullable(),
    preview: z.string().nullable().describe('the door that gives a link to this version in staging, while it is there'),
    actions,
    breakGlass: breakGlassShape(personRef),
    revision: z.int(),
    openedAt: time,
    endedAt: time.nullable(),
    outcome: z.enum(outcomes).nullable(),
    stoppedAt: z.string().nullable().describe('the gate that ended or blocked it'),
    watch,
  }),
);

const explanation = named('Explanation', z.strictObject({ person: personRef, ...explanationFields }));

const standing = named('Standing', standingShape);

const receipt = named('DecisionReceipt', decisionReceiptShape);
const done = named('Receipt', receiptShape);

const entry = named(
  'Entry',
  z.strictObject({
    id: z.int(),
    position: z.int().nullable(),
    stream: z.string(),
    streamId: z.string(),
    sequence: z.int(),
    kind: z.string(),
    at: z.string(),
    hash: z.string(),
    bytes: z.string(),
    by: personRef.nullable(),
    actsFor: personRef.nullable().describe('the human for whom a machine did it'),
    authn: z.string().nullable().describe('how they came in: token/rest, session/page, token/mcp/<tool>'),
    reason: z.string().nullable(),
    body: z.unknown(),
  }),
);

const look = named('Look', lookShape);

const releaseOrder = named('ReleaseOrder', releaseOrderShape);

const edgeOrders = named('EdgeOrders', edgeOrdersShape(releaseOrder));

/** What answers look like. Named schemas become types of the client. */
export const resources = {
  candidate,
  configuration,
  candidates: page('CandidatePage', offeredCandidate),
  done,
  edgeOrders,
  explanation,
  frozenCandidate,
  gate: named('OfferedGate', gate.extend({ actions })),
  prompts: named(
    'Prompts',
    z.strictObject({
      items: z.array(
        z.strictObject({ channel: z.string(), lines: z.array(z.string()).describe('as a terminal shows them') }),
      ),
    }),
  ),
  health: named('Health', z.strictObject({ status: z.string() })),
  history: named('History', z.strictObject({ items: z.array(entry), next: z.int().nullable() })),
  lane,
  lanes: page('LanePage', lane),
  limits: named('Limits', limitsShape.extend({ actions })),
  looks: named('Looks', looksShape(look)),
  me: named('Me', z.strictObject({ workspace, person })),
  people: page('PersonPage', person),
  sessions: named(
    'Sessions',
    z.strictObject({
      items: z.array(
        z.strictObject({
          id: z.string(),
          openedAt: time,
          seenAt: time,
          authenticatedAt: time.nullable().describe('null: their provider does not say'),
        }),
      ),
    }),
  ),
  pairedToken: named(
    'PairedToken',
    z.strictObject({ id: ids.token, token: z.string(), expiresAt: time, person: personRef, url: z.string() }),
  ),
  person,
  personal: named('Personal', z.strictObject({ person, ...personalValues })),
  policies: page('PolicyPage', policy),
  policy,
  policyReplay: named('PolicyReplay', policyReplayShape),
  triedVote: named('TriedVote', triedVoteShape),
  policyVersion,
  policyVersions: named('PolicyVersions', z.strictObject({ items: z.array(policyVersion) })),
  previewLink: named('PreviewLink', z.strictObject({ url: z.string(), host: z.string(), expiresAt: time })),
  promotion,
  standing,
  promotions: page('PromotionPage', promotion),
  prototype,
  prototypes: page('PrototypePage', prototype),
  receipt,
  running: named('Running', runningShape),
  revokedToken: named('RevokedToken', z.strictObject({ id: ids.token })),
  token: named('IssuedToken', issuedTokenShape),
  tokens: page('TokenPage', token),
  workloadToken: named('WorkloadToken', workloadTokenShape),
  addedEvidence: named('AddedEvidence', addedEvidenceShape),
  workspaces: page('WorkspacePage', workspace),
} as const;

/** A promotion as answered. */
export type PromotionResource = z.infer<typeof promotion>;
/** What somebody may do, as answered. */
export type ActionResource = z.infer<typeof action>;
/** A gate as told within its promotion. */
export type GateResource = z.infer<typeof gate>;
/** A person as answered, but for what the reader may do about them. */
export type PersonResource = Omit<z.infer<typeof person>, 'actions'>;
/** A lane as answered, but for what its reader may do. */
export type LaneResource = Omit<z.infer<typeof lane>, 'actions'>;
/** What a lane gives to its releases, as answered, but for what its reader may do. */
export type ConfigurationResource = Omit<z.infer<typeof configuration>, 'actions'>;
/** Why somebody may or may not do something, as answered. */
export type ExplanationResource = z.infer<typeof explanation>;
/** What an edge is told. */
export type EdgeOrdersResource = z.infer<typeof edgeOrders>;
/** Where a promotion stands, for whoever has asked for it. */
export type StandingResource = z.infer<typeof standing>;
