/** Who must agree. */
export interface Requirement {
  readonly from: string;
  readonly count: number;
}

/** A vote with the roles its caster held then. */
export interface Vote {
  readonly id: string;
  readonly person: string;
  readonly verdict: string;
  readonly roles: readonly string[];
}

/** True when distinct approvers can fill every place. Tried out by hand: a few people, a few places. */
export function quorumMet(requirements: readonly Requirement[], votes: readonly Vote[]): boolean {
  const places = requirements.flatMap(({ from, count }) => Array.from({ length: count }, () => from));
  const approvers = votes.filter(({ verdict }) => verdict === 'approve');
  return fill(places, approvers);
}

function fill(places: readonly string[], people: readonly Vote[]): boolean {
  const [place, ...rest] = places;
  if (place === undefined) return true;
  return people.some(
    (vote) =>
      counts(vote, place) &&
      fill(
        rest,
        people.filter(({ person }) => person !== vote.person),
      ),
  );
}

/** Roles are written `role` or `role/group`; only an approver votes for a group. */
function counts({ roles }: Vote, from: string): boolean {
  const [kind, name] = from.split('/');
  if (kind === 'group') return roles.includes(`approver/${name}`);
  return roles.some((role) => role.split('/')[0] === name);
}
