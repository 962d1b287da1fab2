/** One reviewed SQL statement. Its name is also the name it is prepared under, so that it is planned once a connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const all = new Map<string, Statement>();

/** Declares a statement; every one is listed in `queries.sql`, so that SQL can be reviewed as SQL. */
export function statement(name: string, text: string): Statement {
  if (all.has(name)) throw new Error(`invariant broken: two statements are named ${name}`);
  const declared = { name, text: text.trim() };
  all.set(name, declared);
  return declared;
}

/** Every declared statement, by name. */
export function statements(): readonly Statement[] {
  return [...all.values()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
}
