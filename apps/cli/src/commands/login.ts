import { connect, exchangeCode, listPeople, type Person, readMe, revokeToken } from '@proviso/client';
import { ApiRefusal, openApi } from '../api.ts';
import { openInBrowser } from '../browser.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { readLogins, writeLogin } from '../login-store.ts';
import { pair } from '../pairing.ts';
import { addressOf, type ProfileFlags } from '../profile.ts';
import { firstOf, queryOf } from '../reading.ts';
import type { Session } from '../session.ts';
import { facts, table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Signs a person in: their browser asks them at the API, and a token of their own issue comes back to this machine. */
export async function login(session: Session, flags: ProfileFlags & { readonly open?: boolean }): Promise<ExitCode> {
  const url = addressOf(flags, session.config);
  const { signal } = session.interruption;
  const show = (address: string) => {
    session.progress.say(`Open this address in a browser on this machine:\n\n  ${address}\n`);
    if (flags.open === true) openInBrowser(address);
  };
  const body = await pair({ url, show, signal });
  const { data, error } = await exchangeCode({
    client: connect({ baseUrl: url, token: '' }),
    body,
    signal,
    redirect: 'error',
  });
  if (data === undefined) throw refusedBy(error, url);
  const { id, token, expiresAt, person } = data;
  writeLogin(session.config.dataFolder, url, { id, token, person: person.id });
  if (session.json) session.print(JSON.stringify({ url, person, token: { id, expiresAt } }));
  else session.print(`Signed in at ${url} as ${person.name ?? person.id} until ${expiresAt.slice(0, 10)}.`);
  return exitCodes.ok;
}

/** Ends the token that `login` was given, at the API and here. One that the API knows no more is only forgotten. */
export async function logout(session: Session, flags: ProfileFlags): Promise<ExitCode> {
  const url = addressOf(flags, session.config);
  const { dataFolder } = session.config;
  const held = readLogins(dataFolder)[url];
  if (held === undefined)
    throw new Trouble(`expected a login for ${url}, got none`, { exitCode: exitCodes.unauthenticated });
  const api = openApi({ url, token: held.token }, session.interruption.signal);
  const revoking = { path: { id: held.person }, body: { token: held.id } };
  await api
    .write((options) => revokeToken({ ...options, ...revoking }))
    .catch((error: unknown) => {
      if (!(error instanceof ApiRefusal) || error.status !== 401) throw error;
    });
  writeLogin(dataFolder, url, null);
  session.print(session.json ? JSON.stringify({ url, signedOut: true }) : `Signed out of ${url}.`);
  return exitCodes.ok;
}

/** In whose name the commands speak, and what that person may do. */
export async function whoami(session: Session): Promise<ExitCode> {
  const me = await session.api().read((options) => readMe(options));
  const { person, workspace } = me;
  if (session.json) session.print(JSON.stringify(me));
  else
    session.print(
      facts([
        ['person', `${person.name ?? 'no name'} (${person.id})`],
        ['workspace', workspace.name ?? workspace.id],
        ['roles', rolesOf(person)],
        ...(person.accounts.length === 0 ? [] : [['accounts', person.accounts.join(', ')] as const]),
      ]),
    );
  return exitCodes.ok;
}

/** Everybody in the workspace; who signed in and waits for a role comes first, since somebody has to do something. */
export async function people(session: Session): Promise<ExitCode> {
  const api = session.api();
  const found: Person[] = [];
  const pages = async (after: string | undefined) =>
    await api.read((options) => listPeople({ ...options, query: queryOf(after) }));
  await firstOf(pages, (person) => {
    found.push(person);
    return false;
  });
  const sorted = found.toSorted((a, b) => Number(b.waitsForRole) - Number(a.waitsForRole));
  if (session.json) session.print(JSON.stringify({ items: sorted }));
  else
    session.print(
      table(
        ['person', 'kind', 'roles', 'id'],
        sorted.map((one) => [one.name ?? 'no name', one.kind, rolesOf(one), one.id]),
      ),
    );
  return exitCodes.ok;
}

function rolesOf({ roles, waitsForRole, disabled }: Person): string {
  if (disabled) return 'shut out';
  if (waitsForRole) return 'waits for a role';
  const told = roles.map(({ role, group }) => (group === undefined ? role : `${role} (${group})`));
  return told.length === 0 ? 'none' : told.join(', ');
}

function refusedBy(error: unknown, url: string): Trouble {
  if (typeof error === 'object' && error !== null && 'code' in error && 'detail' in error)
    return new Trouble(`${String(error.detail)} (${String(error.code)})`, {
      advice: 'Run `proviso login` again.',
      exitCode: exitCodes.unauthenticated,
    });
  return new Trouble(`expected the API to answer at ${url}, got no answer`, { cause: error });
}
