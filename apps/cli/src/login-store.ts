import { join } from 'node:path';
import { group, read, record, text } from '@proviso/domain';
import { readPrivateJson, writePrivateJson } from './private-file.ts';

/** A token that a person let this command line have, for one API. */
export interface Login {
  readonly person: string;
  readonly id: string;
  readonly token: string;
}

const login = group({
  person: text({ min: 1, max: 80 }),
  id: text({ min: 1, max: 80 }),
  token: text({ min: 8, max: 500 }),
});
const shape = record(login, { max: 50 });

/** What `login` was given, by the address of the API. A damaged file is one nobody is signed in by. */
export function readLogins(dataFolder: string): Readonly<Record<string, Login>> {
  const known = read(shape, readPrivateJson(pathOf(dataFolder)) ?? {});
  return known.ok ? known.value : {};
}

/** Keeps a login, or forgets the one for that address. */
export function writeLogin(dataFolder: string, url: string, kept: Login | null): void {
  const { [url]: _before, ...others } = readLogins(dataFolder);
  writePrivateJson(pathOf(dataFolder), kept === null ? others : { ...others, [url]: kept });
}

function pathOf(dataFolder: string): string {
  return join(dataFolder, 'logins.json');
}
