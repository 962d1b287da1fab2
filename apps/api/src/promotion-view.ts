import { type ActionFacts, actionsAt, actionsOn, authority } from '@proviso/authority';
import {
  type Door,
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
import type { Caller } from './caller.ts';
import { canarySight } from './canary-sight.ts';
import { actionsShown } from './offering.ts';
import type { Parts } from './parts.ts';
import { hasPreviews } from './preview.ts';
import { breakGlassView, gateExceptions, isReviewDue, peopleOfExceptions } from './exception-view.ts';
import { type Names, personRef, timeOf } from './person-ref.ts';
import { candidateView } from './prototype-view.ts';
import type { GateResource, PromotionResource } from './resources.ts';

/** What a view of promotions is made for: whom it is shown to, when, and what beside their states it may say. */
export interface Viewer {
  readonly person: PersonState;
  /** Who lent them the token they came with, if it is not theirs alone. */
  readonly lentBy: PersonId | null;
  readonly scopes: Caller['scopes'];
  /** How they came in: a gate may be closed to it. */
  readonly door: Door;
  readonly names: Names;
  /** Those in whose stead they may vote. */
  readonly delegators: PromotionView['people'];
  readonly pastWaits: readonly PastWait[];
  readonly now: number;
  readonly timeZone: string;
  /** Whether this deployment can give links to previews. */
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
  { person, lentBy, scopes, door, reads }: Pick<Caller, 'person' | 'lentBy' | 'scopes' | 'door' | 'reads'>,
  views: readonly PromotionView[],
): Promise<Viewer> {
  const waits = views.some(({ state }) => currentGate(state)?.status === 'waiting');
  const [names, delegators, pastWaits] = await Promise.all([
    namesFor(reads, views),
    waits ? delegatorsFor(reads, person) : {},
    waits ? reads.pastWaits('approval') : [],
  ]);
  const reading = { now: now(), timeZone: config.timeZone };
  return { person, lentBy, scopes, door, names, delegators, pastWaits, ...reading, previews: hasPreviews(config) };
}

/** Those who gave somebody their right to vote, with their own rights of today. */
export async function delegatorsFor(reads: Reads, { bindings }: PersonState): Promise<PromotionView['people']> {
  const found = await Promise.all(bindings.flatMap(({ from }) => (from === undefined ? [] : [reads.person(from)])));
  return Object.fromEntries(found.flatMap((one) => (one === null ? [] : [[one.id, one]])));
}

/** The answer to the main question: where it stands, what is in the way, and who can do what about it. */
export function promotionView(view: PromotionView, viewer: Viewer): PromotionResource {
  const { state, production } = view;
  const said = headlineOf(view, viewer);
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
    gates: state.gates.map((gate) => gateView(view, gate, viewer)),
    canary: {
      weight: state.weight,
      unitsSeen: view.lastLook?.unitsSeen ?? null,
      leaseRemainingMs: production?.state.owner === state.id ? production.leaseRemainingMs : null,
    },
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
    actions: actionsShown(actionsOn(viewer.person, actionFactsOf(view, viewer))),
    breakGlass: breakGlassView(view, viewer.names),
    revision: view.revision,
    openedAt: timeOf(state.openedAt),
    endedAt: state.endedAt === null ? null : timeOf(state.endedAt),
    outcome: state.outcome,
    stoppedAt: stoppedAt(state, said),
  };
}

/** What the offer of actions on a promotion depends on, beside who it is made to. */
export function actionFactsOf({ state, production, people }: PromotionView, viewer: Viewer): ActionFacts {
  const { lentBy, scopes, door, now, delegators } = viewer;
  const hold = production?.state.hold ?? null;
  return { promotion: state, hold, lentBy, scopes, door, now, people: { ...people, ...delegators } };
}

/** From the staging gate on a version stays there to be looked at, until its promotion ends. */
export function isInStaging(state: PromotionState): boolean {
  return state.outcome === null && findGate(state, 'staging')?.status === 'passed';
}

/** One gate as a thing of its own, with what its reader may do at it. */
export function gateOffered(view: PromotionView, gate: GateState, viewer: Viewer) {
  const actions = actionsShown(actionsAt(viewer.person, gate.name, actionFactsOf(view, viewer)));
  return { ...gateView(view, gate, viewer), actions };
}

/** One gate with its tally. */
export function gateView(
  view: PromotionView,
  gate: GateState,
  { names, now }: Pick<Viewer, 'names' | 'now'>,
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
  { now, timeZone, pastWaits }: Pick<Viewer, 'now' | 'timeZone' | 'pastWaits'>,
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
