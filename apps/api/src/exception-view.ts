import { type GateState, type PersonId, type PersonState, type PromotionState } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { type Names, personRef, timeOf } from './person-ref.ts';
import type { GateResource, PersonResource, PromotionResource } from './resources.ts';

/** Everybody whom the exceptions of a promotion name. */
export function peopleOfExceptions({ gates, waivers = [], glass }: PromotionState): readonly PersonId[] {
  return [
    ...gates.flatMap(({ deferral }) => (deferral === undefined ? [] : [deferral.by])),
    ...waivers.flatMap(({ owner, askedBy, approvedBy }) => [
      owner,
      askedBy,
      ...(approvedBy === null ? [] : [approvedBy]),
    ]),
    ...(glass === undefined ? [] : [glass.askedBy, ...glass.approvedBy]),
  ];
}

/** What was put off, told further or waived at a gate. */
export function gateExceptions(
  { waivers = [] }: PromotionState,
  { name, reminded = 0, escalatedTo, deferral }: GateState,
  names: Names,
): Pick<GateResource, 'reminded' | 'escalatedTo' | 'deferred' | 'waivers'> {
  const ref = (id: PersonId) => personRef(id, names);
  return {
    reminded,
    escalatedTo: escalatedTo ?? null,
    deferred:
      deferral === undefined ? null : { by: ref(deferral.by), until: timeOf(deferral.until), at: timeOf(deferral.at) },
    waivers: waivers
      .filter(({ gate }) => gate === name)
      .map(({ id, attempt, finding, owner, askedBy, approvedBy, until, endedAt }) => ({
        ...{ id, attempt, finding, owner: ref(owner), askedBy: ref(askedBy) },
        approvedBy: approvedBy === null ? null : ref(approvedBy),
        until: timeOf(until),
        endedAt: endedAt === null ? null : timeOf(endedAt),
      })),
  };
}

/** The promotion's newest emergency; null when there was none. */
export function breakGlassView(view: PromotionView, names: Names): PromotionResource['breakGlass'] {
  const { glass } = view.state;
  if (glass === undefined) return null;
  const at = (moment: number | null) => (moment === null ? null : timeOf(moment));
  return {
    askedBy: personRef(glass.askedBy, names),
    approvedBy: glass.approvedBy.map((id) => personRef(id, names)),
    artifactDigest: glass.artifact,
    until: timeOf(glass.until),
    ...{ brokenAt: at(glass.brokenAt), usedAt: at(glass.usedAt), endedAt: at(glass.endedAt) },
    reviewDue: isReviewDue(view),
  };
}

/** True while nobody has reviewed what was broken here. */
export function isReviewDue({ state, production }: PromotionView): boolean {
  return production?.state.reviewOwed === state.id;
}

/** The rights that others gave to a person. */
export function delegationsOf({ bindings }: PersonState): PersonResource['delegations'] {
  return bindings.flatMap(({ from, until = 0, prototype, environment }) =>
    from === undefined
      ? []
      : [{ from, until: timeOf(until), prototype: prototype ?? null, environment: environment ?? null }],
  );
}
