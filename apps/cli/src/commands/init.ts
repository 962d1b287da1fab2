import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { contractFileName, readContractFile } from '@proviso/gates';
import { draftContract, inspectFolder } from '../contract-draft.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** Flags of `init`. */
export interface InitFlags {
  readonly owner?: string;
  readonly force?: boolean;
}

/** git answers at once or never. */
const GIT_TIMEOUT_MS = 2_000;

/** Writes a commented contract for a folder. What it writes was read back first, so it is never invalid. */
export function init(session: Session, folder: string, flags: InitFlags): ExitCode {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Trouble(`expected a folder at ${folder}`);
  const path = join(folder, contractFileName);
  if (existsSync(path) && flags.force !== true) {
    throw new Trouble(`expected no ${contractFileName} in ${folder} yet, got one`, {
      advice: 'Edit that one, or overwrite it with --force.',
    });
  }
  const seen = inspectFolder(folder);
  const text = draftContract(seen, flags.owner ?? ownerFromMachine());
  const found = readContractFile(text);
  if (!found.ok) {
    const [problem] = found.problems;
    throw new Trouble(`expected to draft a valid contract, got line ${problem?.line}: ${problem?.message}`, {
      advice: 'Name the owner with --owner, or write the file by hand.',
    });
  }
  writeFileSync(path, text);
  const hasCases = existsSync(join(folder, seen.cases));
  const next = hasCases
    ? 'check what is marked as a guess, then `proviso promote`'
    : `write the test questions into ${seen.cases}, then \`proviso promote\``;
  if (session.json) session.print(JSON.stringify({ written: path, contract: found.value, casesFound: hasCases }));
  else session.print(`wrote ${path}\nnext: ${next}`);
  return exitCodes.ok;
}

function ownerFromMachine(): string {
  try {
    const name = execFileSync('git', ['config', 'user.name'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: GIT_TIMEOUT_MS,
    }).trim();
    if (name.length >= 2) return name;
  } catch {
    // No git, or no name in it: the account's name is the next best guess.
  }
  const { username } = userInfo();
  return username.length >= 2 ? username : 'please name the owner';
}
