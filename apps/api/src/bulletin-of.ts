import type { Bulletin, Check } from '@proviso/channels';
import { type Candidate, type GateState, type PromotionId, findGate, gateIdOf, ruleOf } from '@proviso/domain';
import type { PastWait, PromotionView, Reads } from '@proviso/journal';
import { changeSinceLive } from './change-since-live.ts';
import { measureWords } from './decision-words.ts';
import type { Parts } from './parts.ts';
import { hasPreviews } from './preview.ts';
import { gateView, headlineOf, isInStaging } from './promotion-view.ts';

/** What a bulletin is made of. */
export interface BulletinParts extends Pick<Parts, 'config' | 'store' | 'now'> {
  readonly reads: Reads;
  /** How long people took to answer before. */
  readonly pastWaits: () => Promise<readonly PastWait[]>;
}

/** What channels may say about a promotion now: the words of every other surface, and no person's name. */
export async function bulletinOf(parts: BulletinParts, id: PromotionId): Promise<Bulletin | null> {
  const { reads, config, store } = parts;
  const view = await reads.promotion(id);
  if (view === null) return null;
  const { state } = view;
  const [prototype, change, live, pastWaits] = await Promise.all([
    reads.prototype(state.prototype),
    changeSinceLive({ store, reads }, view),
    livePromotion(reads, view),
    parts.pastWaits(),
  ]);
  const said = headlineOf(view, { now: parts.now(), timeZone: config.timeZone, pastWaits });
  return {
    ...{ promotion: id, revision: view.revision, standing: said.state, headline: said.sentence },
    ...{ prototype: prototype?.state.name ?? id, version: state.candidate.version, ended: state.outcome !== null },
    ...{ source: sourceOf(state.candidate), openedAt: state.openedAt },
    checks: state.gates.filter(hasSpoken).map((gate) => checkOf(gate, live, config.publicUrl)),
    change,
    ask: askOf(view, parts.now()),
    canRollBack: state.outcome === null && state.undo === null && state.weight > 0,
    links: linksOf(parts, view),
  };
}

/** Only what we fetched from there ourselves: a commit that somebody names for an archive proves nothing. */
function sourceOf({ provenance }: Candidate): Bulletin['source'] {
  const { kind, repository, commit } = provenance;
  return kind === 'github' && repository !== undefined && commit !== undefined ? { repository, commit } : null;
}

/** What serves users now, as it was promoted: its measured values are what the new ones are compared with. */
async function livePromotion(reads: Reads, { state, production }: PromotionView): Promise<PromotionView | null> {
  const stable = production?.state.stable ?? null;
  return stable === null || stable.promotion === state.id ? null : await reads.promotion(stable.promotion);
}

function hasSpoken({ name, status }: GateState): boolean {
  return name !== 'approval' && status !== 'pending';
}

function checkOf(gate: GateState, live: PromotionView | null, publicUrl: string): Check {
  const before = live === null ? undefined : findGate(live.state, gate.name);
  return {
    ...{ gate: gate.name, attempt: gate.attempt, status: gate.status },
    words: wordsOf(gate),
    live: before?.measure == null ? null : measureWords(before.measure),
    evidence: gate.evidence.map(({ kind, digest }) => ({ kind, url: `${publicUrl}/v1/evidence/${digest}` })),
  };
}

function wordsOf({ measure, reasons }: GateState): string {
  return measure === null ? (reasons[0]?.message ?? '') : measureWords(measure);
}

function askOf(view: PromotionView, now: number): Bulletin['ask'] {
  const { state } = view;
  const [gate, rule] = [findGate(state, 'approval'), ruleOf(state.policy, 'approval')];
  if (gate === undefined || rule === undefined || gate.attempt === 0) return null;
  const { requirements, artifactDigest: artifact } = gateView(view, gate, { names: {}, now });
  return {
    ...{ attempt: gate.attempt, status: gate.status, requirements },
    bound: gate.evidenceDigest === null ? null : { artifact, evidenceDigest: gate.evidenceDigest },
    ...{ channels: rule.channels ?? null, stepUp: rule.stepUp === true },
    isGlassBroken: state.glass !== undefined && state.glass.brokenAt !== null,
    ...{ reminded: gate.reminded ?? 0, escalatedTo: gate.escalatedTo ?? null },
  };
}

function linksOf({ config }: BulletinParts, { state }: PromotionView): Bulletin['links'] {
  const { publicUrl } = config;
  const asks = findGate(state, 'approval') !== undefined;
  const hasPreview = hasPreviews(config) && isInStaging(state);
  return {
    page: asks ? `${publicUrl}/decide/${gateIdOf(state.id, 'approval')}` : `${publicUrl}/`,
    preview: hasPreview ? `${publicUrl}/v1/promotions/${state.id}/preview` : null,
  };
}
