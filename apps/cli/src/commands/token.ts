import {
  type IssuedToken,
  issueOwnToken,
  issueToken,
  type Person,
  readMe,
  revokeOwnToken,
  revokeToken,
} from '@proviso/client';
import type { Scope } from '@proviso/domain';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPerson } from '../reading.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

/** How long a token is good, and what it is narrowed to. */
export interface TokenFlags {
  readonly days: number;
  readonly scope?: Scope[];
}

/** The tokens of a person, or one's own: when they end and who issued them, never what they are. */
export async function listTokens(session: Session, who: string | undefined): Promise<ExitCode> {
  const { id, name, tokens } = await expectPerson(session.api(), who);
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
  const { id, name } = await expectPerson(api, who);
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
  const { id, name } = await expectPerson(api, who);
  if (who === undefined) await api.write((options) => revokeOwnToken({ ...options, body: { token } }));
  else await api.write((options) => revokeToken({ ...options, path: { id }, body: { token } }));
  session.print(session.json ? JSON.stringify({ person: id, revoked: token }) : `Revoked ${token} of ${name ?? id}.`);
  return exitCodes.ok;
}
