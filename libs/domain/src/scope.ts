/**
 * What a token may be narrowed to. Each stands for a set of verbs, which the authority room knows; a scope never adds to
 * what its person may do.
 */
export const scopes = [
  'read',
  'decide',
  'build',
  'operate',
  'publish',
  'administer',
  'evidence',
  'edge',
  'agent',
] as const;
/** One of them. */
export type Scope = (typeof scopes)[number];

/** As long as the longest holiday and the year around it; nobody looks after a token for longer. */
export const tokenDaysMax = 366;

/** More at once than anybody can tell apart; every one lies in the person's state, which is read with each request. */
export const tokensMax = 50;
