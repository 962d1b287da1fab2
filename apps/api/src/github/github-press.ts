import { type CommitSource, checkRunIn, conversationOf, identifierOf, isIdentifier } from '@proviso/channels';
import { type Prompt, artifactOf, findGate } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { Problem } from '../problem.ts';
import type { Caller } from '../caller.ts';
import { toldBefore } from '../channel-submission.ts';
import { githubAsker } from './github-caller.ts';
import type { GitHubOutcome, GitHubParts, HeardEvent } from './github-desk.ts';
import { checkRun, checkSuite } from './github-payload.ts';
import { type Answered, answerOf, voteByGitHub } from './github-vote.ts';

/** Somebody wants all checks of a commit to be run again. */
export async function heardCheckSuite(parts: GitHubParts, { payload }: HeardEvent): Promise<GitHubOutcome> {
  const read = checkSuite.safeParse(payload);
  if (!read.success) throw new Problem('malformed_request', 'expected a check suite as GitHub sends it');
  const { action, check_suite: suite, repository } = read.data;
  if (action !== 'rerequested' || suite.app?.id !== parts.app.appId)
    return { outcome: 'nothing of ours', isSure: true };
  return await drawnAgain(parts, { repository: repository.full_name, commit: suite.head_sha });
}

/**
 * GitHub takes what is to be run again back to its beginning and waits for us to say where it stands. Gates are not run
 * again by that: whoever may press there may be anybody.
 */
async function drawnAgain({ register }: GitHubParts, at: CommitSource): Promise<GitHubOutcome> {
  for (const { key, address } of await register.inConversation(conversationOf(at)))
    if (address !== null && checkRunIn(address) !== null) await register.disturb(key, address);
  return { outcome: 'said again where it stands', isSure: true };
}

interface Press {
  readonly repository: string;
  readonly commit: string;
  readonly check: number;
  readonly identifier: string;
  readonly user: number;
  readonly digest: string;
}

/** Somebody pressed an action of a check run of ours. What came of it stands on the pull request a moment later. */
export async function heardCheckRun(parts: GitHubParts, { payload, digest }: HeardEvent): Promise<GitHubOutcome> {
  const read = checkRun.safeParse(payload);
  if (!read.success) throw new Problem('malformed_request', 'expected a check run as GitHub sends it');
  const { action, check_run: run, requested_action: asked, repository, sender } = read.data;
  if (action === 'rerequested' && run.app?.id === parts.app.appId)
    return await drawnAgain(parts, { repository: repository.full_name, commit: run.head_sha });
  const isOurs = run.app?.id === parts.app.appId && action === 'requested_action' && asked !== undefined;
  if (!isOurs || sender.type === 'Bot') return { outcome: 'nothing of ours', isSure: true };
  if (!parts.limit.admits(sender.id)) return { outcome: 'too many within a minute', isSure: true };
  const at = { repository: repository.full_name, commit: run.head_sha };
  const pressed = { ...at, check: run.id, identifier: asked.identifier, user: sender.id, digest };
  const { isSure, ...answer } = await answered(parts, pressed);
  parts.aside(() => parts.answers.tell(at, answer));
  return { outcome: answer.text, isSure };
}

async function answered(parts: GitHubParts, press: Press): Promise<Answered> {
  const asker = await githubAsker(parts, parts.github, press.user);
  if (asker.kind === 'nobody') return { text: asker.why, page: asker.page, isSure: true };
  const before = await toldBefore(asker.caller, [press.digest]);
  if (before !== null) return answerOf(before);
  const copy = await copyOf(parts, press);
  const view = copy === null ? null : await asker.caller.reads.promotion(copy.promotion);
  if (copy === null || view === null || !isIdentifier(press.identifier))
    return { text: 'This check is none of ours any more: nothing was recorded.', page: null, isSure: true };
  return await voted(parts, asker.caller, { press, copy, view });
}

interface Pressed {
  readonly press: Press;
  readonly copy: Prompt;
  readonly view: PromotionView;
}

async function voted(parts: GitHubParts, caller: Caller, { press, copy, view }: Pressed): Promise<Answered> {
  const isCurrent = offeredNow(copy, view) === press.identifier;
  return answerOf(await voteByGitHub(parts, caller, { view, verdict: 'approve', isCurrent, digest: press.digest }));
}

/** What an action on this copy would be called now; null when nobody was asked yet. */
function offeredNow({ token }: Prompt, { state }: PromotionView): string | null {
  const gate = findGate(state, 'approval');
  if (gate?.evidenceDigest == null) return null;
  const { attempt, evidenceDigest } = gate;
  return identifierOf({ token, attempt, artifact: artifactOf(state), evidenceDigest });
}

/** The registered copy that was pressed, by its commit and number. */
async function copyOf({ register }: GitHubParts, { repository, commit, check }: Press): Promise<Prompt | null> {
  const copies = await register.inConversation(conversationOf({ repository, commit }));
  return copies.find(({ address }) => checkRunIn(address) === check) ?? null;
}
