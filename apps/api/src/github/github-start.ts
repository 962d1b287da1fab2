import type { PullRequestHead, Typed } from '@proviso/channels';
import { type Candidate, type PrototypeState } from '@proviso/domain';
import { mayRead } from '@proviso/authority';
import type { Caller } from '../caller.ts';
import { type Told, intentByChannel, toldOfProblem } from '../channel-submission.ts';
import { freezeCommit } from '../freezing.ts';
import { type Meant, noRole, none, prototypeMeant, said } from '../typed-order.ts';
import { startTyped, startWords } from '../typed-start.ts';
import type { GitHubParts } from './github-desk.ts';

/** A version's name where nobody gives it one: enough of its commit to be told from its neighbours. */
const versionLength = 12;

/** What was typed behind `start`, and where. */
interface Start {
  readonly repository: string;
  readonly typed: Typed;
  readonly digest: string;
  readonly head: PullRequestHead;
}

const again = 'write it again';

/** Freezes the head commit, unless it is a version already, and starts it. */
export async function startedFrom(parts: GitHubParts, caller: Caller, start: Start): Promise<Told> {
  const { repository, head, digest } = start;
  // Whoever may write there could put another commit under the words of whoever asked for this one.
  if (head.isFork && head.mergedAs === null)
    return said('Its head is in another repository: merge it, or promote the commit at the API. Nothing was recorded.');
  const { names, policy } = startWords(start.typed.rest.split(/\s+/).filter((word) => word !== ''));
  const [name = ''] = names;
  const meant = await prototypeHere(caller, { repository, name });
  if (meant.kind === 'none') return said(meant.why);
  const { state: prototype } = meant.prototype;
  const commit = head.mergedAs ?? head.head;
  try {
    const known = versionAt(prototype, repository, commit);
    const candidate = known ?? (await frozenFrom(parts, caller, { ...start, prototype, commit }));
    return await startTyped(parts, caller, { prototype, candidate, policy, deed: [digest], again });
  } catch (error) {
    return toldOfProblem(parts, error, again);
  }
}

/** The one that is named, else the one that versions of this repository have been of. */
async function prototypeHere(
  caller: Caller,
  { repository, name }: { readonly repository: string; readonly name: string },
): Promise<Meant> {
  if (name !== '') return await prototypeMeant(caller, name);
  if (!mayRead(caller.person)) return none(noRole);
  const [prototype, ...others] = await caller.reads.prototypesFrom(repository, 2);
  if (prototype !== undefined && others.length === 0) return { kind: 'one', prototype };
  const many = prototype === undefined ? 'No prototype was' : 'Several prototypes were';
  return none(`${many} promoted from this repository: nothing was recorded. Name one: /proviso start PROTOTYPE`);
}

function versionAt({ candidates }: PrototypeState, repository: string, commit: string): Candidate | undefined {
  return candidates.findLast(({ provenance, removed }) => {
    const isHere = provenance.kind === 'github' && provenance.repository?.toLowerCase() === repository.toLowerCase();
    return isHere && provenance.commit === commit && removed !== true;
  });
}

async function frozenFrom(
  parts: GitHubParts,
  caller: Caller,
  {
    prototype,
    repository: full,
    commit,
    digest,
  }: Start & { readonly prototype: PrototypeState; readonly commit: string },
) {
  const [owner = '', repository = ''] = full.split('/');
  const source = { version: commit.slice(0, versionLength), github: { owner, repository, commit } };
  const intent = intentByChannel(parts, caller, ['freeze', digest]);
  const { candidate } = await freezeCommit(parts, intent, { prototype: prototype.id, ...source });
  return candidate;
}
