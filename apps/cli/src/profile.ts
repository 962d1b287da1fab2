import type { Connection } from './api.ts';
import type { CommandConfig } from './config.ts';
import { type Deployment, readDeployment } from './deployment-file.ts';
import { exitCodes } from './exit-code.ts';
import { readLogins } from './login-store.ts';
import { Trouble } from './trouble.ts';

/** Flags that say where to connect and as whom. */
export interface ProfileFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly data?: string | undefined;
}

/** Where the API answers, whoever asks: flags, then the environment, then the local deployment. */
export function addressOf(flags: ProfileFlags, config: CommandConfig): string {
  const url = flags.url ?? config.url ?? readDeployment(config.dataFolder)?.apiUrl;
  if (url === undefined) throw notFound(config.dataFolder, url);
  if (!/^https?:\/\//.test(url)) throw noAddress(url);
  return url.replace(/\/+$/, '');
}

/**
 * Flags win over the environment, and both over what `login` was given for that address; the local deployment that `up`
 * has written down comes last, unless one of its people is named.
 */
export function findConnection(flags: ProfileFlags, config: CommandConfig): Connection {
  const url = flags.url ?? config.url;
  const token = flags.token ?? config.token;
  if (url !== undefined && !/^https?:\/\//.test(url)) throw noAddress(url);
  if (url !== undefined && token !== undefined) return { url, token };
  const deployment = readDeployment(config.dataFolder);
  const person = flags.as ?? config.person;
  const login =
    person === undefined && token === undefined ? loginFor(config.dataFolder, url ?? deployment?.apiUrl) : undefined;
  if (login !== undefined) return login;
  if (deployment === undefined) throw notFound(config.dataFolder, url);
  // Tokens of the local people are for the local API only: they are never sent to another address.
  if (url !== undefined && url !== deployment.apiUrl) {
    throw new Trouble(`expected a token for ${url}, got none`, {
      advice: 'Sign in with `proviso login`, give --token, or set PROVISO_TOKEN.',
      exitCode: exitCodes.unauthenticated,
    });
  }
  return { url: deployment.apiUrl, token: token ?? tokenOf(deployment, person) };
}

/** What `login` was given for an address; without one the only login there is. */
function loginFor(dataFolder: string, url: string | undefined): Connection | undefined {
  const logins = Object.entries(readLogins(dataFolder));
  const [only, another] = logins;
  const found =
    url === undefined && another === undefined
      ? only
      : logins.find(([address]) => address === url?.replace(/\/+$/, ''));
  return found === undefined ? undefined : { url: found[0], token: found[1].token };
}

function noAddress(url: string): Trouble {
  return new Trouble(`expected an address such as http://127.0.0.1:7070, got ${url}`);
}

function tokenOf({ people }: Deployment, person: string | undefined): string {
  const keys = Object.keys(people);
  const key = person ?? keys[0];
  const found = key === undefined ? undefined : people[key];
  if (found !== undefined) return found.token;
  throw new Trouble(`expected one of the local people (${keys.join(', ')}), got ${key ?? 'nobody'}`, {
    advice: 'Name one of them with --as.',
    exitCode: exitCodes.unauthenticated,
  });
}

function notFound(dataFolder: string, url: string | undefined): Trouble {
  const got = url === undefined ? 'neither an address nor a local deployment' : 'an address without a token';
  return new Trouble(`expected to know where Proviso runs, got ${got} (looked in ${dataFolder})`, {
    advice:
      url === undefined
        ? 'Start one with `proviso up`, or set PROVISO_URL and sign in with `proviso login`.'
        : 'Sign in with `proviso login`, or set PROVISO_TOKEN.',
    exitCode: exitCodes.unauthenticated,
  });
}
