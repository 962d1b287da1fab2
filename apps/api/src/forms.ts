import { promotionRels } from '@proviso/authority';
import {
  type CandidateId,
  type Digest,
  type Id,
  type IdKind,
  type LaneId,
  type LimitName,
  type PersonId,
  type PolicyId,
  type PromotionId,
  type PrototypeId,
  type WaiverId,
  type WorkspaceId,
  glassMinutesMax,
  limitBounds,
  refPattern,
  roles,
  scopes,
  tokenDaysMax,
} from '@proviso/domain';
import { redact } from '@proviso/gates';
import { z } from 'zod';

/** An id of one kind; typed as the domain's own, so that what was parsed here is never parsed again. */
function id<Wanted extends string>(kind: IdKind) {
  const form = z.string().regex(new RegExp(`^${kind}_[0-9a-f]{32}$`), `expected ${kind}_ and 32 hexadecimal digits`);
  return form as unknown as z.ZodType<Wanted, Wanted>;
}

/** The ids and digests of bodies, queries and answers. */
export const ids = {
  candidate: id<CandidateId>('cnd'),
  lane: id<LaneId>('lane'),
  person: id<PersonId>('psn'),
  policy: id<PolicyId>('pol'),
  promotion: id<PromotionId>('prm'),
  prototype: id<PrototypeId>('pro'),
  token: id<Id<'tok'>>('tok'),
  workspace: id<WorkspaceId>('wsp'),
  waiver: id<WaiverId>('wvr'),
} as const;

/** The address of a stored document. */
export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits') as unknown as z.ZodType<Digest, Digest>;

/** RFC 3339 in UTC. */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .describe('RFC 3339, UTC');

/**
 * Letters that a sentence may hold: a control character could forge a line of a log or of a terminal. Patterns stand in the
 * OpenAPI description, where names of classes and `\0` are not known to every reader.
 */
const printable = /^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u;

/** Half a letter is no text: it cannot be stored, hashed or sent on. No pattern says so, since JSON's own rules do. */
function isWhole(text: string): boolean {
  return text.isWellFormed();
}

const half = 'expected whole letters';

/** One line of a person's text. */
function line(max: number) {
  const form = z.string().trim().min(1).max(max);
  return form.regex(printable, 'expected one line without control characters').refine(isWhole, half);
}

/** Free text: several lines are fine, other control characters are not. */
const prose = z
  .string()
  .trim()
  .min(1)
  .max(2_000)
  .regex(/^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]*$/u, 'expected text without control characters')
  .refine(isWhole, half);

/** Services inside the deployment hold these without a row; nobody is ever granted one through a door. */
const insideOnly = ['worker', 'keeper', 'founder', 'porter', 'workload'] as const;

const binding = z.strictObject({
  role: z.enum(roles).exclude(insideOnly),
  group: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .optional(),
  prototype: ids.prototype.optional(),
  environment: z.enum(['staging', 'production']).optional(),
});

/** A grant as it is sent. */
export type BindingForm = z.infer<typeof binding>;

const prototypeName = z
  .string()
  .min(2)
  .max(63)
  // Hosts that begin with `trial-` are where candidates are tried out.
  .regex(
    /^(?!trial-)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    'expected lower-case words joined by hyphens, not beginning with trial-',
  );

const version = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, 'expected a version such as v14 or 1.2.0');

/** Names of commits, branches and folders; intake looks at them again, much more closely. */
const reference = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'expected printable letters without spaces');

/** Why somebody does something. */
export const reason = prose.describe('kept in the vault, encrypted; the journal holds a commitment only');

/** A moment as a person may send it: with its offset from UTC, or it means another elsewhere. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const attempt = z.number().int().min(0).max(2_147_483_647);

/** One of a gate's reasons, told from the others. */
export const findingForm = z.strictObject({
  code: line(100),
  file: line(500).optional(),
  line: z.number().int().min(0).optional(),
});

/** The same as somebody sent it; absent: the whole gate. */
export type FindingForm = z.infer<typeof findingForm> | undefined;

const variableName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,80}$/, 'expected a name in capital letters, digits and underscores');

/** Said for everything that is no place: whoever typed a value here learns where it belongs, and never sees it again. */
const noPlace = 'expected the place where the edge finds the value, never the value itself';

/** What has the look of a secret is taken for one, since a place never has it. */
function place(form: RegExp) {
  return z
    .string()
    .max(200, noPlace)
    .regex(form, noPlace)
    .refine((text) => redact(text) === text, noPlace);
}

const pathBelow = place(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/);

/** Where a secret lies, on the machine of the edge; the edge narrows both further. */
export const secretReference = z.discriminatedUnion(
  'from',
  [
    z.strictObject({ from: z.literal('environment'), name: place(/^(?!PROVISO_)[A-Z][A-Z0-9_]*$/) }),
    z.strictObject({ from: z.literal('file'), path: pathBelow }),
    z.strictObject({ from: z.literal('vault'), path: pathBelow }),
  ],
  { error: noPlace },
);

const plainValue = z
  .string()
  .max(4_000)
  .regex(/^[^\x00]*$/, 'expected text without NUL')
  .refine(isWhole, half)
  .refine((text) => redact(text) === text, 'expected a plain value, got what looks like a secret: bind it instead');

const policyText = z.string().min(1).max(262_144).refine(isWhole, half);

const tierName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens, beginning with a letter');

/** A limit that an operator sets, within the bounds of the domain. */
function boundedLimit(name: LimitName) {
  const { min, max } = limitBounds[name];
  return z.number().int().min(min).max(max).optional();
}

/** A command line that waits on this machine, and what only it can answer (PKCE, RFC 7636). */
export const pairing = {
  port: z.coerce.number().int().min(1_024).max(65_535),
  challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected the SHA-256 of a verifier'),
  state: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
} as const;

/** A token of a CI system is a kilobyte or two; a header of its own is not taken. */
const workloadTokenBytesMax = 16_384;

/** What the largest JSON body has room for. */
const evidenceBase64Max = 1_000_000;

/** A quarter of a year. */
const validDaysUsual = 90;

const validDays = z.number().int().min(1).max(tokenDaysMax).default(validDaysUsual);

const scopeList = z.array(z.enum(scopes)).min(1).max(scopes.length).describe('what the token is narrowed to');

/** Bodies as sent. Unknown fields are refused: a body that names an approver, a status or a workspace is a try, not a typo. */
export const bodies = {
  addPerson: z.strictObject({
    name: line(200),
    email: z.email().max(320).optional(),
    kind: z.enum(['human', 'service', 'agent']).default('human'),
    actsFor: ids.person.optional(),
    roles: z.array(binding).max(50).default([]),
  }),
  role: binding,
  issueToken: z.strictObject({ validDays, scopes: scopeList.optional() }).default({ validDays: validDaysUsual }),
  issueOwnToken: z.strictObject({ validDays, scopes: scopeList }),
  trustWorkload: z.strictObject({
    name: line(200),
    issuer: z.url().max(300),
    audience: z.string().min(1).max(300).regex(printable),
    repository: z
      .string()
      .max(200)
      .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/, 'expected a repository such as team/app'),
    ref: z.string().regex(refPattern, 'expected refs/heads/… or refs/tags/…, with a star at its end at most'),
    workflow: reference.optional(),
    promotes: z.literal(true).optional().describe('its runs may also freeze and promote their own commit'),
  }),
  distrustWorkload: z.strictObject({ service: ids.person }),
  exchangeWorkload: z.strictObject({
    workspace: ids.workspace,
    prototype: ids.prototype,
    token: z.string().min(20).max(workloadTokenBytesMax),
  }),
  addEvidence: z.strictObject({
    kind: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, 'expected a kind such as test-report'),
    commit: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'expected a whole commit id'),
    candidate: ids.candidate.optional(),
    contentBase64: z.base64().min(4).max(evidenceBase64Max),
  }),
  revokeToken: z.strictObject({ token: ids.token }),
  empty: z.strictObject({}).optional(),
  exchange: z.strictObject({
    code: z.string().max(2_000),
    verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/),
  }),
  registerPrototype: z.strictObject({ name: prototypeName, owner: ids.person.nullable().optional() }),
  assignOwner: z.strictObject({ owner: ids.person }),
  trust: z.strictObject({ trusted: z.boolean() }),
  freezeCandidate: z.union([
    z.strictObject({
      version,
      git: z.strictObject({ path: z.string().min(1).max(500).refine(isWhole, half), commit: reference }),
    }),
    z.strictObject({
      version,
      github: z.strictObject({ owner: reference, repository: reference, commit: reference }),
    }),
  ]),
  version,
  publishPolicy: z
    .strictObject({
      source: policyText,
      reason: reason.optional(),
      weakerForDays: z.number().int().min(1).max(90).optional().describe('how long a weaker version is in force'),
    })
    .refine(({ reason: why, weakerForDays }) => (why === undefined) === (weakerForDays === undefined), {
      error: 'expected reason and weakerForDays together',
    }),
  agreeToPolicy: z.strictObject({ digest, reason: reason.optional() }),
  tryPolicy: z.strictObject({ source: policyText, person: ids.person, promotion: ids.promotion }),
  replayPolicy: z.strictObject({ source: policyText, since: z.iso.datetime().optional() }),
  tier: z.strictObject({ tier: tierName.nullable() }),
  openPromotion: z.strictObject({ prototype: ids.prototype, candidate: ids.candidate, policy: ids.policy }),
  decide: z.strictObject({
    verdict: z.enum(['approve', 'reject', 'request_changes']),
    reason: reason.optional(),
    gateRevision: z.number().int().min(0).max(2_147_483_647).optional(),
    attempt: attempt.optional(),
    artifactDigest: digest,
    evidenceDigest: digest,
  }),
  defer: z.strictObject({ until: moment, attempt: attempt.optional(), reason: reason.optional() }),
  askWaiver: z.strictObject({
    owner: ids.person,
    until: moment,
    finding: findingForm.optional(),
    attempt: attempt.optional(),
    reason,
  }),
  approveWaiver: z.strictObject({ waiver: ids.waiver, reason: reason.optional() }),
  askBreakGlass: z.strictObject({
    minutes: z.number().int().min(1).max(glassMinutesMax).default(glassMinutesMax),
    reason,
  }),
  approveBreakGlass: z.strictObject({ artifactDigest: digest, reason: reason.optional() }),
  delegate: z.strictObject({
    until: moment,
    prototype: ids.prototype.optional(),
    environment: z.enum(['staging', 'production']).optional(),
    reason: reason.optional(),
  }),
  setVariable: z.strictObject({ name: variableName, value: plainValue }),
  bindSecret: z.strictObject({ name: variableName, reference: secretReference }),
  configured: z.strictObject({ name: variableName }),
  reason: z.strictObject({ reason }),
  comment: z.strictObject({ text: reason }),
  limits: z.strictObject({
    diskBytesMax: boundedLimit('diskBytesMax'),
    uploadBytesMax: boundedLimit('uploadBytesMax'),
    prototypesMax: boundedLimit('prototypesMax'),
    runsAtOnceMax: boundedLimit('runsAtOnceMax'),
    buildsPerDayMax: boundedLimit('buildsPerDayMax'),
    retentionDays: boundedLimit('retentionDays'),
  }),
  optionalReason: z.strictObject({ reason: reason.optional() }).default({}),
  /** JSON-RPC; what stands in it is read by the protocol's own library. */
  agentMessage: z.looseObject({ jsonrpc: z.literal('2.0') }),
} as const;

const after = z
  .string()
  .regex(/^[a-z]{3,4}_[0-9a-f]{32}$/, 'expected the cursor of the page before')
  .optional()
  .describe('the `next` of the page before');

/** At most this many things on a page: one answer stays below a megabyte. */
const pageMax = 100;

const limit = z.coerce.number().int().min(1).max(pageMax).default(50);

/** Queries as sent. */
export const queries = {
  none: z.strictObject({}),
  login: z.strictObject({ to: z.string().max(2_000).default('/'), fresh: z.enum(['true']).optional() }),
  /** A provider may add what it likes; what counts is read where it is checked. */
  callback: z.looseObject({}),
  pairing: z.strictObject(pairing),
  page: z.strictObject({ after, limit }),
  promotions: z.strictObject({
    prototype: ids.prototype.optional(),
    open: z.enum(['true', 'false']).optional(),
    after,
    limit,
  }),
  promotion: z.strictObject({
    minRevision: z.coerce.number().int().min(0).max(2_147_483_647).optional().describe('wait for your own write'),
  }),
  history: z.strictObject({
    after: z.coerce.number().int().min(0).max(2_147_483_647).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(200),
  }),
  explain: z.strictObject({
    action: z.enum(promotionRels).default('approve'),
    person: ids.person.optional().describe('whose rights; without it your own'),
  }),
  looks: z.strictObject({
    after: z.coerce.number().int().min(0).max(2_147_483_647).optional().describe('the number of the newest one known'),
    since: moment.optional().describe('those from this moment on'),
    limit: z.coerce.number().int().min(1).max(500).default(200),
  }),
} as const;
