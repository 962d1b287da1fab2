import { actionsAt, actionsOn, authority, mayRead } from '@proviso/authority';
import {
  type GateState,
  type Headline,
  type PersonId,
  type PersonState,
  type PromotionState,
  type Tally,
  artifactOf,
  currentGate,
  findGate,
  gateIdOf,
  headline,
  leavesOf,
  missingWords,
  pastWaitsMin,
  ruleOf,
  tallyOf,
} from '@proviso/domain';
import type { PastWait, PromotionView, Reads } from '@proviso/journal';
import { type Caller, tokenOf } from './caller.ts';
import { canarySight, canaryView } from './canary-sight.ts';
import { actionsShown } from './offering.ts';
import type { Parts } from './parts.ts';
import { hasPreviews } from './preview.ts';
import { breakGlassView, gateExceptions, isReviewDue, peopleOfExceptions } from './exception-view.ts';
import { type Names, peopleBehind, personRef, timeOf } from './person-ref.ts';
import { candidateView } from './prototype-view.ts';
import type { GateResource, PromotionResource } from './resources.ts';
import { type Trying, tryingScene } from './trying-scene.ts';
import { watchView } from './watch-view.ts';

/** What a view of promotions is made for: whom it is shown to, when, and what beside their states it may say. */
export interface Viewer {
  readonly trying: Trying;
  readonly names: Names;
  readonly pastWaits: readonly PastWait[];
  readonly timeZone: string;
  /** Whether this deployment can give links to previews, and gives one to this reader. */
  readonly previews: boolean;
}

/** Everyone whose name a view of these promotions shows. */
export async function namesFor(reads: Reads, views: readonly PromotionView[]): Promise<Names> {
  const people = views.flatMap(({ state }) => [
    state.requester,
    ...state.gates.flatMap((gate) =>
      gate.decisions.flatMap(({ person, rightOf }) => [person, ...(rightOf === undefined ? [] : [rightOf])]),
    ),
    ...peopleOfExceptions(state),
  ]);
  return reads.names([...new Set(people)]);
}

/** Reads what a view of these promotions needs. Past waits are asked for only where somebody waits. */
export async function viewerOf(
  { config, now }: Pick<Parts, 'config' | 'now'>,
  { person: actor, lentBy, token, door, reads }: Pick<Caller, 'person' | 'lentBy' | 'token' | 'door' | 'reads'>,
  views: readonly PromotionView[],
): Promise<Viewer> {
  const waits = views.some(({ state }) => currentGate(state)?.status === 'waiting');
  const [names, behind, pastWaits] = await Promise.all([
    namesFor(reads, views),
    behindActor(reads, actor, lentBy),
    waits ? reads.pastWaits('approval') : [],
  ]);
  const trying = { actor, lentBy, token: tokenOf({ person: actor, token }), door, now: now(), behind };
  return { trying, names, pastWaits, timeZone: config.timeZone, previews: hasPreviews(config) && mayRead(actor) };
}

/** Those who gave somebody their right to vote, and those by whom they act, with their own rights of today. */
export async function behindActor(
  reads: Reads,
  { bindings, actsFor }: PersonState,
  lentBy: PersonId | null,
): Promise<PromotionView['people']> {
  return await peopleBehind(reads, [...bindings.map(({ from }) => from), actsFor, lentBy]);
}

/** The answer to the main question: where it stands, what is in the way, and who can do what about it. */
export function promotionView(view: PromotionView, viewer: Viewer): PromotionResource {
  const { state, production } = view;
  const said = headlineOf(view, { ...viewer, now: viewer.trying.now });
  return {
    id: state.id,
    prototype: state.prototype,
    candidate: candidateView(state.candidate),
    policy: { id: state.policyId, digest: state.policyDigest, version: state.policyVersion, name: state.policy.name },
    requester: personRef(state.requester, viewer.names),
    unknownAuthors: state.unknownAuthors ?? 0,
    state: said.state,
    headline: said.sentence,
    at: said.at,
    blockers: [...said.blockers],
    gates: state.gates.map((gate) => gateView(view, gate, { ...viewer, now: viewer.trying.now })),
    canary: canaryView(view, viewer.trying.now),
    lane:
      production === null
        ? null
        : {
            id: production.state.id,
            host: production.state.host,
            liveVersion: production.state.stable?.version ?? null,
            liveDigest: production.state.stable?.artifact ?? null,
            held: production.state.hold !== null,
            busy: isBusy(view),
          },
    preview: viewer.previews && isInStaging(state) ? `/v1/promotions/${state.id}/preview` : null,
    actions: actionsShown(actionsOn(tryingScene(view, viewer.trying))),
    breakGlass: breakGlassView(view, viewer.names),
    revision: view.revision,
    openedAt: timeOf(state.openedAt),
    endedAt: state.endedAt === null ? null : timeOf(state.endedAt),
    outcome: state.outcome,
    stoppedAt: stoppedAt(state, said),
    watch: watchView(state, production?.state.stable?.promotion === state.id),
  };
}

/** From the staging gate on a version stays there to be looked at, until its promotion ends. */
export function isInStaging(state: PromotionState): boolean {
  return state.outcome === null && findGate(state, 'staging')?.status === 'passed';
}

/** One gate as a thing of its own, with what its reader may do at it. */
export function gateOffered(view: PromotionView, gate: GateState, viewer: Viewer) {
  const actions = actionsShown(actionsAt(gate.name, tryingScene(view, viewer.trying)));
  return { ...gateView(view, gate, { ...viewer, now: viewer.trying.now }), actions };
}

/** One gate with its tally. */
export function gateView(
  view: PromotionView,
  gate: GateState,
  { names, now }: Pick<Viewer, 'names'> & { readonly now: number },
): GateResource {
  const { state } = view;
  const tally = gate.name === 'approval' ? tallyIn(view, now) : null;
  const demands = gate.name === 'approval' ? (ruleOf(state.policy, 'approval')?.requirements ?? []) : [];
  return {
    id: gateIdOf(state.id, gate.name),
    promotion: state.id,
    name: gate.name,
    status: gate.status,
    attempt: gate.attempt,
    revision: gate.revision,
    since: timeOf(gate.since),
    verdict: gate.verdict,
    reasons: [...gate.reasons],
    measure: gate.measure,
    evidence: [...gate.evidence],
    requirements: leavesOf(demands).map(({ from, count }, index) => ({ from, count, have: tally?.have[index] ?? 0 })),
    missing: tally === null || tally.met ? null : missingWords(tally),
    decisions: gate.decisions.map(({ id, person, rightOf, verdict, at, artifact, evidenceDigest, voided }) => ({
      id,
      person: personRef(person, names),
      rightOf: rightOf === undefined ? null : personRef(rightOf, names),
      verdict,
      at: timeOf(at),
      artifactDigest: artifact,
      evidenceDigest,
      voided,
    })),
    expiresAt: gate.expiresAt === null ? null : timeOf(gate.expiresAt),
    ...gateExceptions(state, gate, names),
    artifactDigest: artifactOf(state),
    evidenceDigest: gate.evidenceDigest,
  };
}

/** Where a promotion stands, in the words every surface shows. */
export function headlineOf(
  view: PromotionView,
  { now, timeZone, pastWaits }: Pick<Viewer, 'timeZone' | 'pastWaits'> & { readonly now: number },
): Headline {
  return headline(view.state, {
    ...{ now, timeZone },
    tally: tallyIn(view, now),
    hold: view.production?.state.hold ?? null,
    laneBusy: isBusy(view),
    reviewOwed: isReviewDue(view),
    liveVersion: view.production?.state.stable?.version ?? null,
    canary: view.lastLook === null ? null : canarySight(view.lastLook),
    pastWaitsMs: waitsLike(view.state, pastWaits),
  });
}

/** This prototype's own waits once there are enough of them, else the whole workspace's. */
function waitsLike({ prototype }: PromotionState, waits: readonly PastWait[]): readonly number[] {
  const own = waits.filter((wait) => wait.prototype === prototype);
  return (own.length >= pastWaitsMin ? own : waits).map((wait) => wait.ms);
}

function tallyIn(view: PromotionView, now: number): Tally | null {
  if (ruleOf(view.state.policy, 'approval') === undefined) return null;
  return tallyOf(view.state, { authority, people: view.people, now });
}

function isBusy({ state, production }: PromotionView): boolean {
  const owner = production?.state.owner ?? null;
  return owner !== null && owner !== state.id;
}

/** Ended or blocked somewhere: the gate that a person would look at. A promotion that went live stopped nowhere. */
function stoppedAt(state: PromotionState, said: Headline): string | null {
  const moving = ['queued', 'running', 'waiting_for_human', 'canary', 'live', 'held'].includes(said.state);
  if (moving) return null;
  return said.at ?? (state.outcome === 'rolled_back' ? (state.gates.at(-1)?.name ?? null) : null);
}
