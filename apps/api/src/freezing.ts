import { isAbsolute, relative, resolve } from 'node:path';
import { realpath } from 'node:fs/promises';
import type { Multipart } from '@fastify/multipart';
import { authorise } from '@proviso/authority';
import {
  type Candidate,
  type CandidateManifest,
  type PrototypeId,
  idFrom,
  limitsOf,
  noRoom,
  requiredSecretsOf,
} from '@proviso/domain';
import { contractFileName, readContractFile } from '@proviso/gates';

import {
  type FreezeContext,
  type FreezeResult,
  type Frozen,
  readFrozenFile,
  freezeArchive,
  freezeGit,
  freezeGitHub,
} from '@proviso/intake';
import type { Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { partsOf } from './candidate-parts.ts';
import { asViewer } from './caller.ts';
import { claimsIn, pushersIn } from './commit-authors.ts';
import { bodies } from './forms.ts';
import { candidateOffered } from './offering.ts';
import type { Parts } from './parts.ts';
import { bodyOf, found, parsed } from './parsing.ts';
import { Problem, problemOfIntake, problemOfRefusal } from './problem.ts';
import { type Intent, intentOf } from './submission.ts';

/** Everything that freezing takes. */
type FreezeParts = Omit<Parts, 'slack' | 'github'>;

interface Taken {
  readonly version: string;
  readonly frozen: Frozen;
  readonly provenance: Pick<Candidate['provenance'], 'kind' | 'repository' | 'commit'>;
}

/**
 * Freezes what was sent and records it as a candidate. Rights are asked before the body is read, so that nobody fills a
 * disk with what they may not upload; that no is recorded like any other. If we die in between, the blobs are orphans.
 */
export async function freezeFrom(parts: Parts, request: FastifyRequest, prototype: PrototypeId) {
  const take: Take = async (room) =>
    request.isMultipart()
      ? await fromArchive(parts, request, room)
      : await fromRepository(parts, bodyOf(request, bodies.freezeCandidate), room);
  return await freeze(parts, intentOf(parts, request), { prototype, take });
}

/** Freezes a commit at GitHub, for whoever asks for it by another way than a request of the API; the same rules hold. */
export async function freezeCommit(
  parts: FreezeParts,
  intent: Intent,
  { prototype, ...source }: FreezeRequest & { readonly prototype: PrototypeId },
) {
  return await freeze(parts, intent, { prototype, take: (room) => fromRepository(parts, source, room) });
}

/** Reads what is to be frozen, up to so many bytes. */
type Take = (room: number) => Promise<Taken>;
type FreezeRequest = z.infer<typeof bodies.freezeCandidate>;

async function freeze(
  parts: FreezeParts,
  intent: Intent,
  { prototype, take }: { readonly prototype: PrototypeId; readonly take: Take },
) {
  const { reads, person } = intent.caller;
  const known = await reads.prototype(prototype);
  const probe = { kind: 'FreezeCandidate', prototype, candidate: unread(intent) } as const;
  if (authorise({ ...asViewer(intent.caller), command: probe, prototype }) !== null) await intent.submit(probe);
  found(known);
  const room = await roomIn(reads);
  const taken = await parts.uploads.during(person.id, () => take(room));
  const candidate = await candidateFrom(parts, intent, taken);
  await intent.submit({ kind: 'FreezeCandidate', prototype, candidate });
  const stored = found(await reads.candidateByManifest(prototype, candidate.manifestDigest));
  const { manifest, sizeBytes, root, skipped } = taken.frozen;
  return {
    candidate: candidateOffered(intent.caller, stored, prototype),
    created: stored.id === candidate.id,
    files: manifest.files.length,
    sizeBytes,
    root,
    skipped: skipped.map(({ path, rule }) => ({ path: path.toWellFormed(), rule })),
  };
}

/**
 * The bytes that one more version may have. Asked before the body is read, so that a full workspace fills no disk with
 * what could only be refused; the journal asks again under its lock.
 */
async function roomIn(reads: Reads): Promise<number> {
  const [workspace, usage] = await Promise.all([reads.workspace(), reads.usage()]);
  const limits = limitsOf(workspace?.state ?? null);
  const full = noRoom(limits, usage, 1);
  if (full !== null) throw problemOfRefusal(full, {});
  return Math.min(limits.uploadBytesMax, limits.diskBytesMax - usage.diskBytes);
}

/** Stands for a candidate that was not looked at: only ever refused, never stored. */
function unread({ caller, draw }: Intent): Candidate {
  const nothing = `sha256:${'0'.repeat(64)}` as const;
  return {
    id: idFrom('cnd', draw('candidate')),
    version: 'unread',
    manifestDigest: nothing,
    manifest: { v: 1, artifact: nothing, parts: {} },
    provenance: { kind: 'upload', uploader: caller.person.id, authors: [] },
  };
}

async function candidateFrom(parts: FreezeParts, intent: Intent, taken: Taken): Promise<Candidate> {
  const artifact = taken.frozen.artifactDigest;
  const manifest: CandidateManifest = { v: 1, artifact, parts: partsOf(taken.frozen.manifest) };
  const bytes = Buffer.from(JSON.stringify({ artifact, parts: manifest.parts, v: 1 }));
  const secrets = await secretsIn(parts, taken.frozen);
  const claims = claimsIn(parts, intent.caller.workspace, taken.frozen);
  const pushers = pushersIn(parts, taken.frozen);
  const { digest: manifestDigest } = await parts.store.put(bytes, { mediaType: 'application/json' });
  return {
    id: idFrom('cnd', intent.draw('candidate')),
    version: taken.version,
    manifestDigest,
    manifest,
    sizeBytes: taken.frozen.sizeBytes,
    // Names in a commit are claims; they become principals when a promotion opens, by what is known then.
    provenance: {
      ...taken.provenance,
      uploader: intent.caller.person.id,
      authors: [],
      ...(claims.length > 0 && { claims }),
      ...(pushers.length > 0 && { pushers }),
    },
    ...(secrets.length > 0 && { secrets }),
  };
}

/** What it cannot start without, by name. A contract that cannot be read names nothing here: readiness says so. */
async function secretsIn({ store }: FreezeParts, { manifest }: Frozen): Promise<readonly string[]> {
  const bytes = await readFrozenFile(store, manifest, contractFileName);
  const found = bytes === undefined ? null : readContractFile(bytes);
  return found?.ok === true ? requiredSecretsOf(found.value) : [];
}

/** The order of the parts is the sender's: the file may come before the version, so it is frozen as it streams by. */
async function fromArchive(parts: FreezeParts, request: FastifyRequest, room: number): Promise<Taken> {
  const fields: { version?: string; frozen?: Frozen } = {};
  const parser = request.parts();
  for (let next = await readNext(parser); next !== null; next = await readNext(parser)) {
    await takePart(contextOf(parts, room), next, fields);
  }
  if (fields.frozen === undefined) throw missing('archive', 'expected a file in the field archive');
  const version = parsed(fields.version, bodies.version, '/version');
  return { version, frozen: fields.frozen, provenance: { kind: 'upload' } };
}

/** What the parser of forms chokes on is the sender's mistake; its own errors carry no status for most of them. */
async function readNext(parser: AsyncIterableIterator<Multipart>): Promise<Multipart | null> {
  try {
    const { done, value } = await parser.next();
    return done ? null : value;
  } catch (error) {
    throw asFormProblem(error);
  }
}

/** A file that breaks off breaks the form; told as such, and not as a source that did not answer. */
async function* bytesOf(file: AsyncIterable<Uint8Array>, broke: { problem?: unknown }): AsyncGenerator<Uint8Array> {
  try {
    yield* file;
  } catch (error) {
    broke.problem = asFormProblem(error);
    throw broke.problem;
  }
}

function asFormProblem(error: unknown): unknown {
  const hasStatus = typeof error === 'object' && error !== null && 'statusCode' in error;
  return hasStatus ? error : new Problem('malformed_request', 'expected a whole multipart form');
}

async function takePart(
  context: FreezeContext,
  part: Multipart,
  fields: { version?: string; frozen?: Frozen },
): Promise<void> {
  const isVersion = part.type === 'field' && part.fieldname === 'version' && fields.version === undefined;
  if (isVersion && typeof part.value === 'string') {
    fields.version = part.value;
    return;
  }
  if (part.type === 'file' && part.fieldname === 'archive' && fields.frozen === undefined) {
    const hints = { mediaType: part.mimetype, ...(part.filename ? { filename: part.filename.slice(0, 200) } : {}) };
    const broke: { problem?: unknown } = {};
    const result = await freezeArchive(bytesOf(part.file, broke), context, hints).catch((error: unknown) => {
      throw broke.problem ?? error;
    });
    fields.frozen = expectFrozen(result);
    return;
  }
  throw missing(part.fieldname.slice(0, 100), 'expected the fields archive and version, once each');
}

async function fromRepository(parts: FreezeParts, body: FreezeRequest, room: number): Promise<Taken> {
  const context = contextOf(parts, room);
  if ('git' in body) {
    const { repositoryPath, repository } = await insideGitRoot(parts, body.git.path);
    const frozen = expectFrozen(await freezeGit({ repositoryPath, commit: body.git.commit }, context));
    return { version: body.version, frozen, provenance: { kind: 'git', repository, ...commitIn(frozen) } };
  }
  const { githubApi, githubToken } = parts.config;
  const token = githubToken === null ? {} : { token: githubToken };
  const frozen = expectFrozen(await freezeGitHub({ ...body.github, baseUrl: githubApi, ...token }, context));
  const repository = `${body.github.owner}/${body.github.repository}`;
  return { version: body.version, frozen, provenance: { kind: 'github', repository, ...commitIn(frozen) } };
}

/** A path is resolved with its links before it is compared, so that nothing inside points the way out. */
async function insideGitRoot(parts: FreezeParts, path: string) {
  const { gitRoot } = parts.config;
  if (gitRoot === null)
    throw new Problem('source_not_permitted', 'expected an archive: this server freezes no local paths');
  if (path.includes('\0')) throw notFoundSource();
  const [root, real] = await Promise.all([gitRoot, resolve(gitRoot, path)].map((one) => realpath(one).catch(() => '')));
  const inside = root && real ? relative(root, real) : '..';
  if (inside.startsWith('..') || isAbsolute(inside)) throw notFoundSource();
  return { repositoryPath: real ?? '', repository: inside === '' ? '.' : inside };
}

function notFoundSource(): Problem {
  return new Problem('source_not_found', 'expected a repository inside the configured folder');
}

function commitIn({ provenance }: Frozen): { commit?: string } {
  return 'commit' in provenance ? { commit: provenance.commit } : {};
}

function contextOf(parts: FreezeParts, room: number): FreezeContext {
  return { store: parts.store, tempFolder: parts.config.temporaryFolder, limits: { unpackedBytesMax: room } };
}

function expectFrozen(result: FreezeResult): Frozen {
  if (result.kind === 'refused') throw problemOfIntake(result);
  return result;
}

function missing(field: string, message: string): Problem {
  return new Problem('invalid', message, { errors: [{ pointer: `/${field}`, code: 'invalid', message }] });
}
