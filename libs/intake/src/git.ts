import { realpath } from 'node:fs/promises';
import { type ByteReader, byteReader } from './byte-reader.ts';
import { type FreezeContext, type FreezeResult, freezeEntries } from './freeze.ts';
import { askGit, type GitProcess, gitBroke, startGit } from './git-process.ts';
import { IntakeFailure } from './intake-failure.ts';
import { peopleOfCommit } from './provenance.ts';
import { answering, Refused } from './refusal.ts';
import { noContent, type SourceEntry } from './source-entry.ts';

/** A repository on this machine and the commit, branch or tag to freeze. */
export type GitSource = { readonly repositoryPath: string; readonly commit: string };

/**
 * Freezes the tree of a commit. The blobs are read as they are stored: no line endings are changed, no attribute is
 * obeyed and nothing the repository configures is run. Uncommitted changes are no part of it.
 */
export async function freezeGit(source: GitSource, context: FreezeContext): Promise<FreezeResult> {
  return answering(async () => {
    checkReference(source.commit);
    const repositoryPath = await realpath(source.repositoryPath).catch(() => undefined);
    if (repositoryPath === undefined) throw notFound();
    const commit = await resolveCommit({ repositoryPath, commit: source.commit });
    const raw = await readCommit(repositoryPath, commit);
    const content = await freezeEntries({ entries: treeEntries(repositoryPath, commit), context });
    return { ...content, provenance: { kind: 'git', commit, ...peopleOfCommit(raw) } };
  });
}

/** Letters of names that git itself allows, without the ones that make an option, a range, a time or an expression. */
const referenceForm = /^[0-9A-Za-z_][0-9A-Za-z._/+-]{0,199}$/;

/** Refuses what is no plain name of a commit before any program or server sees it. */
export function checkReference(reference: string): void {
  if (referenceForm.test(reference) && !reference.includes('..')) return;
  throw new Refused('bad_reference', 'expected a commit id, branch or tag, got something else');
}

/** A commit id is 40 or 64 digits and a line end. */
const ID_BYTES_MAX = 128;

async function resolveCommit(source: GitSource): Promise<string> {
  const { repositoryPath } = source;
  const parameters = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${source.commit}^{commit}`];
  const { code, complaint, answer } = await askGit({ repositoryPath, parameters, answerBytesMax: ID_BYTES_MAX });
  if (code === null) throw gitBroke(code);
  if (complaint.includes('dubious ownership')) {
    throw new Refused('source_not_permitted', 'expected a repository of our own user, got one of another user');
  }
  const id = answer.trim();
  if (code === 0 && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return id;
  throw notFound();
}

function notFound(): Refused {
  return new Refused('source_not_found', 'expected a git repository with that commit, got none');
}

/** A commit is its headers and a message; beyond this nobody writes messages. */
const COMMIT_BYTES_MAX = 256 * 1024;

async function readCommit(repositoryPath: string, commit: string): Promise<string> {
  const parameters = ['cat-file', 'commit', commit];
  const { code, answer } = await askGit({ repositoryPath, parameters, answerBytesMax: COMMIT_BYTES_MAX });
  if (code !== 0) throw gitBroke(code);
  return answer;
}

type TreeLine = { readonly mode: string; readonly id: string; readonly sizeBytes: number; readonly path: string };

async function* treeEntries(repositoryPath: string, commit: string): AsyncGenerator<SourceEntry> {
  const tree = startGit(repositoryPath, ['ls-tree', '-r', '-z', '-l', '--full-tree', '--end-of-options', commit]);
  const blobs = startGit(repositoryPath, ['cat-file', '--batch']);
  try {
    tree.endInput();
    const readBlob = blobReader(blobs);
    for await (const line of treeLines(tree)) yield entryOf(line, readBlob);
    const { code } = await tree.ended();
    if (code !== 0) throw gitBroke(code);
  } finally {
    tree.kill();
    blobs.kill();
  }
}

/** A path of git has no bound of its own; a longer line is refused later for its path, so it is cut off here. */
const LINE_BYTES_MAX = 64 * 1024;

async function* treeLines(tree: GitProcess): AsyncGenerator<TreeLine> {
  let rest = Buffer.alloc(0);
  for await (const part of tree.output) {
    rest = Buffer.concat([rest, part]);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      yield parseTreeLine(rest.toString('utf8', 0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.byteLength > LINE_BYTES_MAX) throw new Refused('too_large', 'expected shorter paths, got a huge one');
  }
}

function parseTreeLine(line: string): TreeLine {
  const told = /^([0-7]{6}) (?:blob|commit) ([0-9a-f]{40,64}) +([0-9]+|-|BAD)\t([\s\S]+)$/.exec(line);
  if (!told) throw new IntakeFailure('source_broke', 'expected a line of a tree from git, got something else');
  const [, mode = '', id = '', size = '', path = ''] = told;
  if (size === 'BAD') throw missingBlob(path);
  return { mode, id, sizeBytes: size === '-' ? 0 : Number(size), path };
}

function entryOf(line: TreeLine, readBlob: (line: TreeLine) => AsyncIterable<Uint8Array>): SourceEntry {
  const { path, sizeBytes } = line;
  if (line.mode === '120000') return { path, kind: 'symlink', executable: false, content: noContent };
  // What is left is a submodule: its content lies in another repository.
  if (!line.mode.startsWith('100')) return { path, kind: 'special', executable: false, content: noContent };
  const executable = line.mode === '100755';
  return { path, kind: 'file', executable, sizeClaimedBytes: sizeBytes, content: () => readBlob(line) };
}

/** Asks one running git for blob after blob; each is read to its end before the next is asked for. */
function blobReader(blobs: GitProcess): (line: TreeLine) => AsyncIterable<Uint8Array> {
  const reader = byteReader(blobs.output[Symbol.asyncIterator]());
  return async function* readBlob(line) {
    await blobs.write(`${line.id}\n`);
    const header = await readLine(reader);
    if (header !== `${line.id} blob ${line.sizeBytes}`) throw await brokenOff(blobs, line);
    for (let missing = line.sizeBytes; missing > 0; ) {
      const part = await reader.some(missing);
      if (!part) throw await brokenOff(blobs, line);
      missing -= part.byteLength;
      yield part;
    }
    await reader.read(1);
  };
}

/** An id of 64 digits, a kind and a size; git's answers are never longer. */
const ANSWER_BYTES_MAX = 120;

async function readLine(reader: ByteReader): Promise<string> {
  let line = '';
  while (line.length < ANSWER_BYTES_MAX) {
    const byte = (await reader.read(1)).toString('latin1');
    if (byte === '' || byte === '\n') break;
    line += byte;
  }
  return line;
}

/** A git that was killed says nothing about the commit; one that stopped or answered otherwise lacks the blob. */
async function brokenOff(blobs: GitProcess, line: TreeLine): Promise<Error> {
  blobs.endInput();
  const { code } = await blobs.ended();
  return code === null ? gitBroke(code) : missingBlob(line.path);
}

function missingBlob(path: string): Refused {
  const remedy = 'a complete clone is needed';
  return new Refused('corrupt_archive', `expected every file of the commit, got one that is missing; ${remedy}`, path);
}
