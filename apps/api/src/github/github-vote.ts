import { type Command, type DecisionVerdict, artifactOf, findGate, idFrom } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import type { Caller } from '../caller.ts';
import { type Told, toldByChannel } from '../channel-submission.ts';
import { uuidOfSeed } from '../submission.ts';
import type { GitHubParts } from './github-desk.ts';

/** Evidence that nobody has: a vote on it is refused by the journal, and recorded like every refusal. */
const nothing = `sha256:${'0'.repeat(64)}` as const;

/** A vote as somebody gave it at GitHub. */
export interface GitHubVote {
  readonly view: PromotionView;
  readonly verdict: DecisionVerdict;
  /** True when what stood there when it was given is what stands now. */
  readonly isCurrent: boolean;
  /** The digest of the event that brought it. */
  readonly digest: string;
  readonly reason?: string;
}

/** A vote on what is current, if that is what was shown; if not, on nothing that could ever count. */
export async function voteByGitHub(parts: GitHubParts, caller: Caller, vote: GitHubVote): Promise<Told> {
  const { view, verdict, isCurrent, digest, reason } = vote;
  const { state } = view;
  const gate = findGate(state, 'approval');
  const decision = idFrom('dec', uuidOfSeed(`github ${caller.person.id} ${digest}`));
  const command: Command = {
    ...{ kind: 'Decide', promotion: state.id, gate: 'approval', attempt: gate?.attempt ?? 0, decision, verdict },
    artifact: artifactOf(state),
    evidenceDigest: isCurrent ? (gate?.evidenceDigest ?? nothing) : nothing,
  };
  const order = { deed: [digest], command, ...(reason === undefined ? {} : { reason }) };
  return await toldByChannel(parts, caller, { promotion: state.id, order, again: 'do it again' });
}

/** What came of something done at GitHub: a line that all may read, and the page that it leads to. */
export interface Answered {
  readonly text: string;
  readonly page: string | null;
  /** False when the same may be sent again to find out. */
  readonly isSure: boolean;
}

/** Says what came of it. */
export function answerOf({ text, code, page, isSure }: Told): Answered {
  const words = [
    text,
    ...(page === null || code === null ? [] : ['Decide there.']),
    ...(code === null ? [] : [`(${code})`]),
  ];
  return { text: words.join(' '), page, isSure };
}
