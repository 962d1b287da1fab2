import {
  type IssuedToken,
  issueOwnToken,
  issueToken,
  listPeople,
  type Person,
  readMe,
  readPerson,
  revokeOwnToken,
  revokeToken,
} from '@proviso/client';
import { isId, type Scope } from '@proviso/domain';
import type { Api } from '../api.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { firstOf, queryOf } from '../reading.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** How long a token is good, and what it is narrowed to. */
export interface TokenFlags {
  readonly days: number;
  readonly scope?: Scope[];
}

/** The tokens of a person, or one's own: when they end and who issued them, never what they are. */
export async function listTokens(session: Session, who: string | undefined): Promise<ExitCode> {
  const { id, name, tokens } = await personOf(session.api(), who);
  if (session.json) session.print(JSON.stringify({ person: id, tokens }));
  else if (tokens.length === 0) session.print(`${name ?? id} has no token.`);
  else {
    const rows = tokens.map(({ id: token, scopes, expiresAt, lastUsedOn, issuedBy }) => [
      ...[token, scopes?.join(', ') ?? 'everything', expiresAt.slice(0, 10)],
      ...[lastUsedOn ?? 'never', issuedBy ?? 'the deployment'],
    ]);
    session.print(table(['token', 'may', 'ends', 'used last', 'issued by'], rows));
  }
  return exitCodes.ok;
}

/** Issues a token to somebody. */
export async function issue(session: Session, who: string | undefined, flags: TokenFlags): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await personOf(api, who);
  const body = { validDays: flags.days, ...(flags.scope === undefined ? {} : { scopes: flags.scope }) };
  const issued = await api.write((options) => issueToken({ ...options, path: { id }, body }));
  return show(session, issued, { id, name });
}

/** Issues a narrower token to oneself. */
export async function issueOwn(session: Session, { days, scope }: Required<TokenFlags>): Promise<ExitCode> {
  const api = session.api();
  const { person } = await api.read((options) => readMe(options));
  const body = { validDays: days, scopes: scope };
  const issued = await api.write((options) => issueOwnToken({ ...options, body }));
  return show(session, issued, person);
}

/** It is printed once, alone on stdout, so that it can be piped to where it is kept. */
function show(session: Session, issued: IssuedToken, { id, name }: Pick<Person, 'id' | 'name'>): ExitCode {
  if (session.json) session.print(JSON.stringify({ person: id, ...issued }));
  else {
    const until = issued.expiresAt.slice(0, 10);
    const narrow = issued.scopes === null ? '' : `, narrowed to ${issued.scopes.join(', ')}`;
    session.progress.say(`${issued.id} for ${name ?? id}, good until ${until}${narrow}, shown only now:`);
    session.print(issued.token);
  }
  return exitCodes.ok;
}

/** Revokes a token: the next request with it is refused, whichever process it reaches. One's own needs no role. */
export async function revoke(session: Session, token: string, who: string | undefined): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await personOf(api, who);
  if (who === undefined) await api.write((options) => revokeOwnToken({ ...options, body: { token } }));
  else await api.write((options) => revokeToken({ ...options, path: { id }, body: { token } }));
  session.print(session.json ? JSON.stringify({ person: id, revoked: token }) : `Revoked ${token} of ${name ?? id}.`);
  return exitCodes.ok;
}

/** A person by name or id; without one, oneself. */
export async function personOf(api: Api, who: string | undefined): Promise<Person> {
  if (who === undefined) return (await api.read((options) => readMe(options))).person;
  if (isId('psn', who)) return await api.read((options) => readPerson({ ...options, path: { id: who } }));
  const pages = async (after: string | undefined) =>
    await api.read((options) => listPeople({ ...options, query: queryOf(after) }));
  const named: Person[] = [];
  await firstOf(pages, (person) => {
    if (person.name === who) named.push(person);
    return false;
  });
  const [found, another] = named;
  if (found === undefined) throw new Trouble(`expected the name or id of a person, got ${who}, which is none here`);
  if (another === undefined) return found;
  const ids = named.map(({ id }) => id).join(', ');
  throw new Trouble(`expected one person named ${who}, got ${named.length}`, { advice: `Name one by id: ${ids}.` });
}
