import { type PullRequestHead, type Typed, commentIn, conversationOf, lineOf, typedIn } from '@proviso/channels';
import { type DecisionVerdict, type PromotionState, invariant } from '@proviso/domain';
import { mayRead } from '@proviso/authority';
import type { PromotionView } from '@proviso/journal';
import type { Caller } from '../caller.ts';
import { pageOf, toldBefore } from '../channel-submission.ts';
import { bodies } from '../forms.ts';
import { Problem } from '../problem.ts';
import { openFor } from '../slack/slack-inbox.ts';
import { type TypedOrder, noRole, said, sayWhy, toldOfOrder } from '../typed-order.ts';
import { githubAsker } from './github-caller.ts';
import type { GitHubOutcome, GitHubParts, HeardEvent } from './github-desk.ts';
import { issueComment } from './github-payload.ts';
import { startedFrom } from './github-start.ts';
import { type Answered, answerOf, voteByGitHub } from './github-vote.ts';

/** A command under a pull request. */
interface Command {
  readonly repository: string;
  readonly pull: number;
  readonly typed: Typed;
  readonly user: number;
  /** When GitHub took the comment: to the second, so it may have been up to one later. */
  readonly writtenAt: number;
  readonly digest: string;
}

/** What can be typed about the promotion of the head commit beside a vote, with what it does. */
const orders: Readonly<Partial<Record<Typed['word'], TypedOrder>>> = {
  comment: 'Comment',
  rerun: 'Rerun',
  pause: 'Pause',
  rollback: 'Rollback',
};

const sure = (text: string, page: string | null = null): Answered => ({ text, page, isSure: true });

/**
 * Somebody wrote a comment. Only a new one can be a command: whoever may change the words of others in a repository
 * could otherwise put a vote into their mouth. It is seen at once, and answered in one line.
 */
export async function heardComment(parts: GitHubParts, { payload, digest }: HeardEvent): Promise<GitHubOutcome> {
  const read = issueComment.safeParse(payload);
  if (!read.success) throw new Problem('malformed_request', 'expected a comment as GitHub sends it');
  const { action, comment, issue, repository, sender } = read.data;
  const typed = typedIn(comment.body);
  const isWriter = sender.type !== 'Bot' && comment.user?.id === sender.id;
  if (action !== 'created' || !isWriter || typed === null || issue.pull_request === undefined)
    return { outcome: 'nothing of ours', isSure: true };
  if (!parts.limit.admits(sender.id)) return { outcome: 'too many within a minute', isSure: true };
  const at = { repository: repository.full_name, pull: issue.number };
  parts.aside(() => parts.answers.see(at.repository, comment.id));
  const writtenAt = Date.parse(comment.created_at);
  const { isSure, ...answer } = await answered(parts, { ...at, typed, user: sender.id, writtenAt, digest });
  parts.aside(() => parts.answers.reply(at, answer));
  return { outcome: answer.text, isSure };
}

const help =
  '/proviso approve, reject REASON, request-changes REASON, comment WORDS, rerun, pause REASON, rollback REASON, status: ' +
  'about the newest version of this pull request’s head commit. /proviso start [PROTOTYPE] [with POLICY] promotes it.';

async function answered(parts: GitHubParts, command: Command): Promise<Answered> {
  const { typed, user } = command;
  if (typed.word === 'help') return sure(help);
  const asker = await githubAsker(parts, parts.github, user);
  if (asker.kind === 'nobody') return sure(asker.why, asker.page);
  const { caller } = asker;
  const before = typed.word === 'start' ? null : await toldBefore(caller, [command.digest]);
  if (before !== null) return answerOf(before);
  const head = await headOf(parts, command);
  if (typed.word === 'start') return answerOf(await startedFrom(parts, caller, { ...command, head }));
  const found = await promotionsOf(parts, caller, { ...command, head });
  if (found.kind === 'none') return sure(found.why);
  const { views } = found;
  if (typed.word === 'status') return await status(parts, caller, views);
  const [view, ...others] = views;
  if (view === undefined || others.length > 0)
    return sure('Several prototypes are promoted from this commit: decide on the pages of their gates.');
  return await done(parts, caller, { command, view });
}

/** Asked from GitHub now, and not taken from what was sent: that may be old. */
async function headOf({ answers }: GitHubParts, { repository, pull }: Command): Promise<PullRequestHead> {
  return await answers.headOf({ repository, pull }).catch((cause: unknown) => {
    throw away(cause);
  });
}

type Found =
  | { readonly kind: 'some'; readonly views: readonly PromotionView[] }
  | { readonly kind: 'none'; readonly why: string };

/** The promotions of the head commit that are under way, else the newest of each prototype. */
async function promotionsOf(
  { register }: GitHubParts,
  { reads }: Caller,
  { repository, head }: Command & { readonly head: PullRequestHead },
): Promise<Found> {
  const commits = [head.head, ...(head.mergedAs === null ? [] : [head.mergedAs])];
  const copies = await Promise.all(
    commits.map((commit) => register.inConversation(conversationOf({ repository, commit }))),
  );
  const ids = [...new Set(copies.flat().map(({ promotion }) => promotion))];
  const views = (await Promise.all(ids.map((id) => reads.promotion(id)))).filter((view) => view !== null);
  const newest = new Map<string, PromotionView>();
  for (const view of views.toSorted((a, b) => rankOf(a.state) - rankOf(b.state)))
    newest.set(view.state.prototype, view);
  const open = [...newest.values()].filter(({ state }) => state.outcome === null);
  if (newest.size > 0) return { kind: 'some', views: open.length > 0 ? open : [...newest.values()] };
  return {
    kind: 'none',
    why: `No version of the head commit ${head.head.slice(0, 12)} is promoted here: nothing was recorded.`,
  };
}

function away(cause: unknown): Problem {
  const problem = new Problem('source_unavailable', 'GitHub does not answer: send it again in a minute', {
    retryAfterSeconds: 60,
  });
  problem.cause = cause;
  return problem;
}

/** What is under way comes after all that has ended. */
function rankOf({ outcome, openedAt }: PromotionState): number {
  return (outcome === null ? Number.MAX_SAFE_INTEGER / 2 : 0) + openedAt;
}

const verdicts: Readonly<Partial<Record<Typed['word'], DecisionVerdict>>> = {
  approve: 'approve',
  reject: 'reject',
  'request-changes': 'request_changes',
};

interface Ordered {
  readonly command: Command;
  readonly view: PromotionView;
}

async function done(parts: GitHubParts, caller: Caller, { command, view }: Ordered): Promise<Answered> {
  const { typed, digest } = command;
  const kind = orders[typed.word];
  if (kind !== undefined) {
    const order = { kind, view, reason: typed.rest, deed: [digest], again: 'write it again' };
    return answerOf(await toldOfOrder(parts, caller, order));
  }
  const verdict = verdicts[typed.word];
  invariant(verdict !== undefined, `expected a verdict, got ${typed.word}`);
  const given = bodies.reason.safeParse({ reason: typed.rest });
  if (!given.success && (verdict !== 'approve' || typed.rest !== '')) return answerOf(said(sayWhy));
  const reason = given.success ? given.data : {};
  const isHere = await isShownHere(parts, { command, view });
  const isCurrent = isHere && isShownSince(view.state, command.writtenAt);
  const told = await voteByGitHub(parts, caller, { ...{ view, verdict, isCurrent, digest }, ...reason });
  const isStrange = !isHere && told.code === 'stale_evidence';
  return answerOf(isStrange ? { ...told, text: `${told.text} ${notHere}` } : told);
}

/**
 * True when everything that the vote would rest on was there when the comment was written, by our own record: the asking,
 * and each report under it. Who wrote before has not seen it, however late their comment is brought to us.
 */
function isShownSince({ gates }: PromotionState, writtenAt: number): boolean {
  const asked = gates.findIndex(({ name }) => name === 'approval');
  const since = gates.slice(0, asked + 1).map((gate) => gate.since);
  return Math.max(...since) <= writtenAt + 999;
}

const notHere =
  'Proviso’s comment on this pull request is not about this version, or not yet: approve on its check, or on its page.';

/**
 * True when our comment on this very pull request is about this promotion: whoever may push could else put a commit under
 * a vote, between its writing and our look at the head, that is asked about somewhere else.
 */
async function isShownHere({ register, answers }: GitHubParts, { command, view }: Ordered): Promise<boolean> {
  const { repository } = command;
  const commit = view.state.candidate.provenance.commit ?? '';
  const copies = await register.inConversation(conversationOf({ repository, commit }));
  const comment = copies.find(({ promotion, address }) => promotion === view.state.id && commentIn(address) !== null);
  if (comment === undefined) return false;
  return await answers.standsOn(command, comment).catch((cause: unknown) => {
    throw away(cause);
  });
}

async function status(parts: GitHubParts, caller: Caller, views: readonly PromotionView[]): Promise<Answered> {
  const open = await openFor(parts, caller);
  if (open.length === 0 && !mayRead(caller.person)) return sure(noRole);
  const ids = new Set(views.map(({ state }) => state.id));
  const lines = open.filter(({ promotion }) => ids.has(promotion.id));
  const [first] = lines;
  if (first === undefined) return sure('Nothing of this commit is under way.');
  return sure(lines.map(({ item }) => lineOf(item)).join(' '), pageOf(parts, first.promotion.id));
}
