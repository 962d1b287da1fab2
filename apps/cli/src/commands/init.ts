import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { contractFileName, readContractFile } from '@proviso/gates';
import { type OwnersWord, draftCases, draftContract } from '../draft/contract-text.ts';
import { type Sighting, sightFolder } from '../draft/sighting.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** Flags of `init`. */
export interface InitFlags {
  readonly owner?: string;
  readonly force?: boolean;
  /** Ask nothing and take the safe defaults. */
  readonly yes?: boolean;
}

/** git answers at once or never. */
const GIT_TIMEOUT_MS = 2_000;
/** A small team; who expects more says so. */
const USERS_DEFAULT = 100;
const dataClasses = ['public', 'internal', 'personal'] as const;
/** The most careful answer, when nobody gives one. */
const DATA_CLASS_DEFAULT = 'personal';

/** Writes a commented contract from the code. What it writes was read back first, so it is never invalid. */
export async function init(session: Session, folder: string, flags: InitFlags): Promise<ExitCode> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Trouble(`expected a folder at ${folder}`);
  const path = join(folder, contractFileName);
  if (existsSync(path) && flags.force !== true) {
    throw new Trouble(`expected no ${contractFileName} in ${folder} yet, got one`, {
      advice: 'Edit that one, or overwrite it with --force.',
    });
  }
  const seen = await sightFolder(folder);
  if (!session.json) session.print(wordsOf(seen).join('\n'));
  const word = await ownersWord(session, flags);
  const text = draftContract(seen, word);
  const found = readContractFile(text);
  if (!found.ok) {
    const [problem] = found.problems;
    throw new Trouble(`expected to draft a valid contract, got line ${problem?.line}: ${problem?.message}`, {
      advice: 'Name the owner with --owner, or write the file by hand.',
    });
  }
  const cases = seen.cases.exists ? null : draftCases(seen);
  writeFileSync(path, text);
  const casesPath = join(folder, seen.cases.path);
  // Questions that somebody wrote are worth more than a contract: --force does not touch them.
  if (cases !== null) writeFileSync(casesPath, cases, { flag: 'wx' });
  const written = cases === null ? [path] : [path, casesPath];
  const confirm = [...seen.doubts, ...(word.confirmed ? [] : ['owner, users and dataClass: nobody was asked'])];
  const { doubts: _doubts, from, ...draft } = seen.draft;
  if (session.json) {
    const result = { written: path, casesWritten: cases === null ? null : casesPath, casesFound: seen.cases.exists };
    session.print(JSON.stringify({ ...result, contract: found.value, seen: { ...draft, from }, confirm }));
  } else {
    session.print([...written.map((each) => `wrote ${each}`), ...nextOf(seen, confirm)].join('\n'));
  }
  return exitCodes.ok;
}

/** What was seen and where, in plain words; also what was not seen. */
function wordsOf({ draft, needs, page, cases }: Sighting): readonly string[] {
  const { run, build } = draft;
  const what = run.kind === 'static' ? 'files that are served as they are' : `${run.kind}: ${run.start.join(' ')}`;
  const made = build && [build.install === 'auto' ? 'install the packages' : '', build.command?.join(' ') ?? ''];
  const named = (list: readonly { readonly name: string; readonly file: string }[]) =>
    list.map(({ name, file }) => `${name} (${file})`).join(', ');
  const rows = [
    ['runs', `${what} (${draft.from})`],
    ['build', made === null ? 'none' : made.filter((part) => part !== '').join(', then ')],
    ['result in', build?.output ?? ''],
    ['secrets', named(needs.secrets)],
    ['variables', named([...needs.variables, ...needs.publicVariables])],
    ['talks to', named(needs.hosts)],
    ['start page', page === null ? '' : page.file],
    ['questions', cases.exists ? cases.path : ''],
  ] as const;
  return rows.flatMap(([label, words]) => (words === '' ? [] : [`saw ${label.padEnd(10)}  ${words}`]));
}

function nextOf(seen: Sighting, confirm: readonly string[]): readonly string[] {
  const checks = confirm.map((each) => `check ${each}`);
  const lacksCases = !seen.cases.exists && draftCases(seen) === null;
  const first = lacksCases ? `write the test questions into ${seen.cases.path}, then ` : '';
  const policy = seen.draft.run.kind === 'static' && !seen.cases.exists ? ' --policy site' : '';
  return [...checks, `next: ${first}\`proviso promote${policy}\``];
}

/** Asks what the code cannot say; without anybody to ask the safe defaults stand, marked in the file. */
async function ownersWord(session: Session, flags: InitFlags): Promise<OwnersWord> {
  const owner = flags.owner ?? ownerFromMachine();
  const { ask } = session;
  if (ask === null || session.json || flags.yes === true) {
    return { owner, users: USERS_DEFAULT, dataClass: DATA_CLASS_DEFAULT, confirmed: false };
  }
  const who = flags.owner === undefined ? [{ words: 'Who is accountable for it?', offered: owner }] : [];
  const answers = await ask([
    ...who,
    { words: 'How many people will use it?', offered: `${USERS_DEFAULT}` },
    { words: `The most sensitive data it touches (${dataClasses.join(', ')})?`, offered: DATA_CLASS_DEFAULT },
  ]);
  const [named = owner, people = '', answer = ''] = flags.owner === undefined ? answers : [owner, ...answers];
  const users = Number(people);
  const dataClass = dataClasses.find((each) => each === answer.toLowerCase());
  if (!Number.isSafeInteger(users) || users < 1)
    throw new Trouble('expected a whole number of people, got another text');
  if (dataClass === undefined) throw new Trouble(`expected one of ${dataClasses.join(', ')}, got another word`);
  return { owner: named, users, dataClass, confirmed: true };
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
