import type { Connection } from './api.ts';
import type { CommandConfig } from './config.ts';
import { type Deployment, readDeployment } from './deployment-file.ts';
import { exitCodes } from './exit-code.ts';
import { Trouble } from './trouble.ts';

/** Flags that say where to connect and as whom. */
export interface ProfileFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly data?: string | undefined;
}

/** Flags win over the environment, and both over the local deployment that `up` has written down. */
export function findConnection(flags: ProfileFlags, config: CommandConfig): Connection {
  const url = flags.url ?? config.url;
  const token = flags.token ?? config.token;
  if (url !== undefined && !/^https?:\/\//.test(url)) {
    throw new Trouble(`expected an address such as http://127.0.0.1:7070, got ${url}`);
  }
  if (url !== undefined && token !== undefined) return { url, token };
  const deployment = readDeployment(config.dataFolder);
  if (deployment === undefined) throw notFound(config.dataFolder, url);
  // Tokens of the local people are for the local API only: they are never sent to another address.
  if (url !== undefined && url !== deployment.apiUrl) {
    throw new Trouble(`expected a token for ${url}, got none`, {
      advice: 'Give --token or set PROVISO_TOKEN.',
      exitCode: exitCodes.unauthenticated,
    });
  }
  return { url: deployment.apiUrl, token: token ?? tokenOf(deployment, flags.as ?? config.person) };
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
    advice: 'Start one with `proviso up`, or set PROVISO_URL and PROVISO_TOKEN.',
    exitCode: exitCodes.unauthenticated,
  });
}
