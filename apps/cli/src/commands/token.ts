import { issueToken, listPeople, type Person, readMe, readPerson, revokeToken } from '@proviso/client';
import { isId } from '@proviso/domain';
import type { Api } from '../api.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { firstOf, queryOf } from '../reading.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** The tokens of a person, or one's own: when they end and who issued them, never what they are. */
export async function listTokens(session: Session, who: string | undefined): Promise<ExitCode> {
  const { id, name, tokens } = await personOf(session.api(), who);
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
  const { id, name } = await personOf(api, who);
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
  const { id, name } = await personOf(api, who);
  await api.write((options) => revokeToken({ ...options, path: { id }, body: { token } }));
  session.print(session.json ? JSON.stringify({ person: id, revoked: token }) : `Revoked ${token} of ${name ?? id}.`);
  return exitCodes.ok;
}

async function personOf(api: Api, who: string | undefined): Promise<Person> {
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
