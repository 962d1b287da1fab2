import { createHash, randomBytes } from 'node:crypto';
import {
  type PrototypeId,
  type WorkloadClaims,
  type WorkspaceId,
  idFrom,
  trusts,
  workloadTokenMaxMs,
} from '@proviso/domain';
import { type JWTPayload, decodeJwt, errors, jwtVerify } from 'jose';
import { accountMark } from './commit-authors.ts';
import { hashOfToken } from './hash-of-token.ts';
import type { Parts } from './parts.ts';
import { Problem, accepted } from './problem.ts';
import { uuidOfSeed } from './submission.ts';

/** Asymmetric ones only: with a shared secret whoever can check a token could make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'];

/** Clocks of two companies differ by seconds. */
const clockToleranceSeconds = 10;

/** CI systems issue for minutes; a token that claims to be older has waited somewhere. */
const ageSecondsMax = 3_600;

/** Whose run it says to be, and its own token. */
export interface WorkloadRequest {
  readonly workspace: WorkspaceId;
  readonly prototype: PrototypeId;
  readonly token: string;
}

/** What is verified about a run. */
interface Run extends WorkloadClaims {
  readonly commit: string;
  readonly tokenId: string;
  /** The number of the account that has started it; null where the CI system does not say. */
  readonly starter: string | null;
}

/**
 * Gives a short token to a run that a rule of the prototype trusts. Every no is the same answer, so that nobody learns
 * from it what is trusted here; the operator's log has the reason. Each token of the CI system is taken once: its id is
 * the idempotency key, and a second exchange would ask under it for another secret.
 */
export async function exchange(parts: Parts, { workspace, prototype, token }: WorkloadRequest) {
  const known = await parts.journal.reads(workspace).prototype(prototype);
  const issuer = issuerIn(token);
  const rules = (known?.state.workloads ?? []).filter((rule) => rule.issuer === issuer);
  if (rules.length === 0 || !parts.workloadKeys.isListed(issuer)) throw denied(parts, 'issuer');
  const run = await verified(parts, token, issuer);
  const rule = rules.find((one) => trusts(one, run));
  if (rule === undefined) throw denied(parts, 'rule');
  const secret = `prv_${randomBytes(32).toString('base64url')}`;
  const expiresAt = parts.now() + workloadTokenMaxMs;
  const once = createHash('sha256')
    .update(JSON.stringify([issuer, run.tokenId]))
    .digest('hex');
  const receipt = await parts.journal.submit({
    workspace,
    actor: rule.service,
    command: {
      kind: 'IssueOwnToken',
      person: rule.service,
      token: {
        id: idFrom('tok', uuidOfSeed(secret)),
        hash: hashOfToken(secret),
        expiresAt,
        scopes: rule.promotes === true ? ['evidence', 'build'] : ['evidence'],
        commit: run.commit,
        ...(run.starter !== null && { starter: accountMark(run.starter, parts.config) }),
      },
    },
    idempotencyKey: `workload/${once}`,
    authn: 'workload/rest',
  });
  if (
    receipt.kind === 'refused' &&
    ['key_conflict', 'person_disabled', 'nobody_answers'].includes(receipt.refusal.code)
  )
    throw denied(parts, receipt.refusal.code);
  accepted(receipt);
  return { token: secret, expiresAt: new Date(expiresAt).toISOString() };
}

/** Who it says to be from, believed for nothing but the question whose keys to ask. */
function issuerIn(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
}

async function verified(parts: Parts, token: string, issuer: string): Promise<Run> {
  const keys = await parts.workloadKeys.of(issuer).catch((error: unknown) => {
    throw away(parts, error);
  });
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    algorithms,
    clockTolerance: clockToleranceSeconds,
    maxTokenAge: ageSecondsMax,
    requiredClaims: ['exp', 'iat', 'jti', 'aud'],
    currentDate: new Date(parts.now()),
  }).catch((error: unknown) => {
    throw isAboutToken(error) ? denied(parts, error.code) : away(parts, error);
  });
  return runIn(payload, issuer) ?? Promise.reject(denied(parts, 'claims'));
}

/** A token with two audiences could be sent on by the other one. */
function runIn(payload: JWTPayload, issuer: string): Run | null {
  const text = (name: string) => (typeof payload[name] === 'string' ? payload[name] : '');
  const [audience, another] = [payload.aud ?? []].flat();
  const [repository, ref, commit] = [text('repository') || text('project_path'), fullRef(payload), text('sha')];
  const isWhole = audience !== undefined && another === undefined && repository !== '' && ref !== '';
  if (!isWhole || !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit) || !payload.jti) return null;
  const workflow = (text('workflow_ref') || text('ci_config_ref_uri')).split('@')[0];
  const starter = /^[0-9]{1,15}$/.test(text('actor_id')) ? text('actor_id') : null;
  return { issuer, audience, repository, ref, commit, workflow: workflow || null, tokenId: payload.jti, starter };
}

/** GitHub says the whole of it as `ref`; GitLab says only `main` there, and the whole as `ref_path`. */
function fullRef({ ref, ref_path: whole }: JWTPayload): string {
  if (typeof whole === 'string') return whole;
  return typeof ref === 'string' ? ref : '';
}

/** What is wrong with the token itself; everything else is about the issuer, which may be back in a minute. */
function isAboutToken(error: unknown): error is errors.JOSEError {
  const { JWKSTimeout, JWKSInvalid, JOSEError } = errors;
  const isOfIssuer = error instanceof JWKSTimeout || error instanceof JWKSInvalid;
  return error instanceof JOSEError && !isOfIssuer && error.code !== 'ERR_JOSE_GENERIC';
}

function denied({ log }: Pick<Parts, 'log'>, why: string): Problem {
  log.info({ why }, 'a workload was denied');
  return new Problem('unauthenticated', 'expected a fresh token of a run that this prototype trusts');
}

function away({ log }: Pick<Parts, 'log'>, error: unknown): Problem {
  log.warn({ why: error instanceof Error ? error.message : 'unknown' }, 'the issuer of a workload does not answer');
  return new Problem('source_unavailable', 'the issuer of this token does not answer: try again', {
    retryAfterSeconds: 30,
  });
}
