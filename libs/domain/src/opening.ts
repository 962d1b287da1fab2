import type { Candidate } from './candidate.ts';
import type { PromotionCommand, RegisterPrototype } from './command.ts';
import type { Digest, PersonId } from './id.ts';
import { limitsOf, noLanes } from './limits.ts';
import { next } from './next.ts';
import type { Policy } from './policy.ts';
import { type PolicyVersion, versionInForce } from './policy-publication.ts';
import { type ResolvedPolicy, resolvePolicy } from './policy-tier.ts';
import { beyondRun } from './pipeline-run.ts';
import { type PrototypeState, candidateOf } from './prototype.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type Decided, type Draft, Plan, type Scene } from './scene.ts';
import { type Involved, exclusionsOf, hasOrphan } from './separation.ts';
import { openIfHuman } from './step.ts';

/** Registers a prototype together with its lanes: a prototype without lanes would be a trap for the first claim. */
export function register(scene: Scene, command: RegisterPrototype): Decided {
  const plan = new Plan(scene);
  if (scene.prototype !== null) return plan.refuse(refusal('exists', 'this prototype is registered already'));
  const full = scene.usage && noLanes(limitsOf(scene.workspace), scene.usage);
  if (full !== null) return plan.refuse(full);
  const { prototype, name, owner, lanes, hosts } = command;
  plan.drafts.push({
    stream: 'prototype',
    id: prototype,
    event: { kind: 'prototype_registered', v: 1, prototype, name, owner, lanes },
  });
  for (const environment of ['staging', 'production'] as const) {
    const opened = {
      kind: 'lane_opened',
      v: 1,
      lane: lanes[environment],
      prototype,
      environment,
      host: hosts[environment],
    } as const;
    plan.laneTold(environment, opened);
  }
  return plan.answer({ kind: 'done' });
}

/** Opens a promotion: the policy, the candidate and the excluded people are fixed from here on. */
export function open(scene: Scene, command: Extract<PromotionCommand, { kind: 'OpenPromotion' }>): Decided {
  const plan = new Plan(scene);
  const { prototype, policy } = scene;
  if (scene.promotion !== null) return plan.refuse(refusal('exists', 'this promotion is open already'));
  if (prototype === null) return plan.refuse(refusal('not_found', 'expected a known prototype'));
  // Unknown policy blocks: an ungated way to production must not exist.
  if (policy === null) return plan.refuse(refusal('policy_unknown', 'expected a published policy'));
  const candidate = candidateOf(prototype, command.candidate);
  if (candidate === undefined)
    return plan.refuse(refusal('candidate_unknown', 'expected a candidate of this prototype'));
  if (candidate.removed)
    return plan.refuse(
      refusal(
        'artifact_removed',
        'expected a version with its files, got one whose files were removed: freeze it again',
      ),
    );
  const beyond = beyondRun(scene, candidate.provenance);
  if (beyond !== null) return plan.refuse(beyond);
  if (prototype.owner === null)
    return plan.refuse(refusal('no_owner', 'expected an accountable human owner: assign one first'));
  const people = { ...scene.people, [scene.actor.id]: scene.actor };
  const inForce = versionInForce(policy, scene.now);
  const { version, digest, policy: written } = inForce;
  const { involved, unknownAuthors } = involvedIn(scene, { owner: prototype.owner, candidate, policy: inForce });
  const accountable = people[prototype.owner];
  if (accountable?.kind !== 'human' || accountable.disabled)
    return plan.refuse(refusal('no_owner', 'expected an accountable human owner: assign one who is active'));
  if (hasOrphan(involved, people))
    return plan.refuse(
      refusal('no_owner', 'expected a human behind every agent and service that took part, got one of nobody'),
    );
  const resolved = resolveFor(scene, prototype, { written, candidate });
  if ('code' in resolved) return plan.refuse(resolved);
  const supersedes = supersede(scene);
  plan.tell(command.promotion, {
    kind: 'promotion_opened',
    v: 1,
    promotion: command.promotion,
    prototype: prototype.id,
    candidate,
    policyId: policy.id,
    policyVersion: version,
    policyDigest: digest,
    policy: resolved.policy,
    ...(resolved.tier !== null && { tier: resolved.tier }),
    ...(resolved.changed !== null && { changed: resolved.changed }),
    requester: scene.actor.id,
    exclusions: exclusionsOf(involved, people),
    ...(unknownAuthors > 0 && { unknownAuthors }),
    lanes: prototype.lanes,
  });
  plan.drafts.push(...supersedes);
  openIfHuman(plan, scene);
  for (const rival of scene.rivals) releaseLanes(plan, rival.id);
  plan.wakes.add(command.promotion);
  for (const rival of scene.rivals) plan.wakes.add(rival.id);
  const state = plan.promotion;
  return plan.answer(state === null ? { kind: 'done' } : { kind: 'onward', onward: next(state, scene.now) });
}

/** Whoever took part, and how many of those whom the commit names are nobody known here. */
function involvedIn(
  { actor, lentBy, token, authors }: Scene,
  by: { readonly owner: PersonId; readonly candidate: Candidate; readonly policy: PolicyVersion },
): { readonly involved: Involved; readonly unknownAuthors: number } {
  const { provenance, evidence: brought = [] } = by.candidate;
  const knownBy = (marks: readonly Digest[]) => marks.flatMap((mark) => authors[mark] ?? []);
  const claimed = (provenance.claims ?? []).map(knownBy);
  const lenders = [lentBy, provenance.lentBy, by.policy.lentBy, ...brought.map((one) => one.lentBy)];
  const involved = {
    requester: actor.id,
    owner: by.owner,
    authors: [...provenance.authors, ...claimed.flat()],
    pushers: knownBy(provenance.pushers ?? []),
    // Whoever has started the run has asked by it, whatever service it acts as.
    starters: knownBy(token?.starter === undefined ? [] : [token.starter]),
    uploader: provenance.uploader,
    bringers: brought.map((one) => one.by),
    policyAuthor: by.policy.author,
    lenders: lenders.filter((one) => one != null),
  };
  return { involved, unknownAuthors: claimed.filter((known) => known.length === 0).length };
}

/** What serves users now says what has changed; a version that is no longer known asks for every gate. */
function resolveFor(
  { lanes }: Scene,
  prototype: PrototypeState,
  { written, candidate }: { readonly written: Policy; readonly candidate: Candidate },
): ResolvedPolicy | Refusal {
  const serving = lanes.production?.stable;
  const sources = serving?.source ?? serving?.artifact;
  const live = prototype.candidates.find((one) => one.manifest.artifact === sources)?.manifest ?? null;
  return resolvePolicy(written, { tier: prototype.tier ?? null, live, candidate: candidate.manifest });
}

/** A newer candidate supersedes older ones only before their first production claim; after it, it queues at the lane. */
function supersede(scene: Scene): readonly Draft[] {
  return scene.rivals
    .filter((rival) => rival.productionAt === null && rival.outcome === null)
    .map(
      (rival): Draft => ({
        stream: 'promotion',
        id: rival.id,
        event: { kind: 'promotion_ended', v: 1, outcome: 'superseded' },
      }),
    );
}

function releaseLanes(plan: Plan, promotion: `prm_${string}`): void {
  if (plan.lanes.staging?.owner !== promotion) return;
  plan.ask('staging', { move: 'withdraw', promotion });
  plan.ask('staging', { move: 'release', promotion });
}
