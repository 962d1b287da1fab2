/** Who must agree: so many of a group or role, or several such, joined. */
export type Requirement =
  | { readonly from: string; readonly count: number }
  | { readonly any: readonly Requirement[] }
  | { readonly all: readonly Requirement[] }
  | { readonly atLeast: number; readonly of: readonly Requirement[] };

/** A vote with the roles its caster held then. */
export interface Vote {
  readonly id: string;
  readonly person: string;
  readonly verdict: string;
  readonly roles: readonly string[];
}

/** True when distinct approvers can fill every place of some way. Tried out by hand: a few people, a few places. */
export function quorumMet(requirements: readonly Requirement[], votes: readonly Vote[]): boolean {
  const approvers = votes.filter(({ verdict }) => verdict === 'approve');
  return waysOf({ all: requirements }).some((places) => fill(places, approvers));
}

/** Each way to meet a requirement as the places that it has. */
function waysOf(requirement: Requirement): readonly (readonly string[])[] {
  if ('from' in requirement) return [Array.from({ length: requirement.count }, () => requirement.from)];
  if ('any' in requirement) return requirement.any.flatMap(waysOf);
  if ('all' in requirement) return chosen(requirement.all, requirement.all.length);
  return chosen(requirement.of, requirement.atLeast);
}

function chosen([first, ...rest]: readonly Requirement[], needed: number): readonly (readonly string[])[] {
  if (needed === 0) return [[]];
  if (first === undefined) return [];
  const withFirst = waysOf(first).flatMap((way) => chosen(rest, needed - 1).map((other) => [...way, ...other]));
  return [...withFirst, ...chosen(rest, needed)];
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
