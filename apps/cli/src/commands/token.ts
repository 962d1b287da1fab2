import { issueToken, revokeToken } from '@proviso/client';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPerson } from '../reading.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

/** The tokens of a person, or one's own: when they end and who issued them, never what they are. */
export async function listTokens(session: Session, who: string | undefined): Promise<ExitCode> {
  const { id, name, tokens } = await expectPerson(session.api(), who);
  if (session.json) session.print(JSON.stringify({ person: id, tokens }));
  else if (tokens.length === 0) session.print(`${name ?? id} has no token.`);
  else {
    const rows = tokens.map((token) => [token.id, token.expiresAt.slice(0, 10), token.issuedBy ?? 'the deployment']);
    session.print(table(['token', 'ends', 'issued by'], rows));
  }
  return exitCodes.ok;
}

/** Issues a token. It is printed once, alone on stdout, so that it can be piped to where it is kept. */
export async function issue(session: Session, who: string | undefined, validDays: number): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectPerson(api, who);
  const issued = await api.write((options) => issueToken({ ...options, path: { id }, body: { validDays } }));
  if (session.json) session.print(JSON.stringify({ person: id, ...issued }));
  else {
    session.progress.say(
      `${issued.id} for ${name ?? id}, good until ${issued.expiresAt.slice(0, 10)}, shown only now:`,
    );
    session.print(issued.token);
  }
  return exitCodes.ok;
}

/** Revokes a token: the next request with it is refused, whichever process it reaches. */
export async function revoke(session: Session, token: string, who: string | undefined): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectPerson(api, who);
  await api.write((options) => revokeToken({ ...options, path: { id }, body: { token } }));
  session.print(session.json ? JSON.stringify({ person: id, revoked: token }) : `Revoked ${token} of ${name ?? id}.`);
  return exitCodes.ok;
}
