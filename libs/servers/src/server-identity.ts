import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServerFailure } from './server-failure.ts';

/** Under whom PostgreSQL runs, and what must stand before its command for that. */
export interface ServerIdentity {
  /** Owner of the data, when it is not simply us. */
  readonly account?: Account;
  /** Words before the command, `[]` as a rule. When there are some, they change the user themselves. */
  readonly wrapper: readonly string[];
}

/** A user and group of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Execute permission for others: what a stranger needs to pass through a folder. */
const OTHERS_MAY_PASS = 0o001;

/**
 * PostgreSQL refuses to run as root, so root starts it as someone else: the owner of existing data, else the user
 * `postgres`, else `nobody`, which every Linux has. No user is created: that would change the machine for good.
 * A checkout under /root is closed to such a user; there it gets the one capability to pass, which root has anyway.
 */
export function postgresIdentity({
  paths,
  dataFolder,
}: {
  paths: readonly string[];
  dataFolder: string;
}): ServerIdentity {
  if (process.getuid?.() !== 0) return { wrapper: [] };
  const account = ownerOf(dataFolder) ?? accountOf('postgres') ?? accountOf('nobody') ?? missingAccount();
  if ([...paths, dataFolder].every((path) => isOpenToOthers(path))) return { account, wrapper: [] };
  return { account, wrapper: passingWrapper(account) };
}

/** The user to start a process as: nobody in particular where a wrapper sees to it. */
export function spawnAccount({ account, wrapper }: ServerIdentity): Partial<Account> {
  return wrapper.length > 0 ? {} : { ...account };
}

function ownerOf(folder: string): Account | undefined {
  const found = statSync(folder, { throwIfNoEntry: false });
  // Data owned by root is a folder just made for this purpose; it will be given away.
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

function accountOf(name: string): Account | undefined {
  try {
    const read = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: read('-u'), gid: read('-g') };
  } catch {
    return undefined;
  }
}

function missingAccount(): never {
  throw new ServerFailure(
    'folder_unreachable',
    'expected a user postgres or nobody to run PostgreSQL as, got neither; start Proviso as an ordinary user',
  );
}

function isOpenToOthers(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & OTHERS_MAY_PASS) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function passingWrapper({ uid, gid }: Account): readonly string[] {
  const wrapper = [
    ...['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups'],
    ...['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override', '--'],
  ];
  try {
    execFileSync('setpriv', [...wrapper.slice(1), 'true'], { stdio: 'ignore' });
    return wrapper;
  } catch (cause) {
    throw new ServerFailure(
      'folder_unreachable',
      'expected a folder that other users may enter, since PostgreSQL cannot run as root; ' +
        'move the project out of /root or start it as an ordinary user',
      { cause },
    );
  }
}
