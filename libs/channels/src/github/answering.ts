import type { OpenQuestion, QuestionRegister } from '@proviso/domain';
import type { Bulletin } from '../bulletin.ts';
import { OutletFailure } from '../outlet.ts';
import type { GitHubApp } from './app.ts';
import { type CommitStanding, type DeploymentNeed, commitStanding } from './commit-standing.ts';
import { placeOf } from './place.ts';

/** What answering takes. */
export interface AnsweringPorts {
  readonly register: QuestionRegister;
  readonly app: GitHubApp;
  /** What there is to say about every promotion of a commit. */
  readonly bulletinsAt: (source: {
    readonly repository: string;
    readonly commit: string;
  }) => Promise<readonly Bulletin[]>;
  /** True when everything that the log had at the call is known there; without it nothing may be said to be missing. */
  readonly isFollowed: () => Promise<boolean>;
  readonly needOf: (environment: string) => DeploymentNeed;
  /** Where people see more, when there is no promotion to lead to. */
  readonly page: string;
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>;
  readonly note: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Questions of one turn. */
const atOnceMax = 8;

/** Whoever dies with a question in hand gives it back after this: two calls to GitHub and the reads before them. */
const takenMs = 30_000;

/**
 * How soon a decision is told: the promotions of a commit are looked at again after this, and less often once nobody sits in
 * front of the job any more.
 */
const lookMs = 1_000;
const lookLateMs = 5_000;
const lateMs = 10 * 60_000;

/** GitHub takes ten reports for one waiting job, so what happens in a burst is one of them. */
const reportsMax = 10;
const reportEveryMs = 10_000;

/** GitHub itself fails a job that has waited for so long. */
const waitsMaxMs = 30 * 86_400_000;

/** After a breakage, and for what an operator has to mend. */
const retryMs = 2_000;
const mendMs = 60_000;

/** Nobody asks, or the database is away. */
const idleMs = 500;
const troubleMs = 1_000;

/**
 * Answers whoever waits for a word about a commit, until the signal ends it. Several processes may do so at once: each
 * takes questions that no other has. Never throws: background work outlives its database.
 */
export async function answerForever(ports: AnsweringPorts, signal: AbortSignal): Promise<void> {
  let trouble = false;
  while (!signal.aborted) {
    let restMs = troubleMs;
    try {
      restMs = await answerTurn(ports);
      trouble = false;
    } catch (error) {
      if (!trouble && !signal.aborted) ports.note('questions.trouble', { error: nameOf(error) });
      trouble = true;
    }
    if (restMs > 0) await ports.pause(restMs, signal).catch(() => undefined);
  }
}

/** One turn. Answers how long to rest: GitHub's own word about that means all calls. */
export async function answerTurn(ports: AnsweringPorts): Promise<number> {
  const taken = await ports.register.take(atOnceMax, takenMs);
  const rests = await Promise.all(
    taken.map(async (question) => {
      try {
        await (question.kind === 'rule' ? answerRule(ports, question) : answerQueue(ports, question));
        return 0;
      } catch (error) {
        if (!(error instanceof OutletFailure)) throw error;
        await giveBack(ports, question, error);
        return error.more.retryAfterMs ?? 0;
      }
    }),
  );
  return Math.max(taken.length === atOnceMax ? 0 : idleMs, ...rests);
}

/**
 * A deploy job that waits at an environment's protection rule. Our yes or no is the last word of ours, and GitHub takes it
 * once; until then it is told where the commit stands, as often as GitHub lets us.
 */
async function answerRule(ports: AnsweringPorts, question: OpenQuestion): Promise<void> {
  const { register } = ports;
  const { id, commit, repository, environment, askedAgoMs, said, saidAgoMs, reports } = question;
  if (askedAgoMs > waitsMaxMs) return await register.close(id, 'too_late');
  const standing = commitStanding(await ports.bulletinsAt({ repository, commit }), ports.needOf(environment ?? ''));
  const { verdict, words, mark } = standing;
  if (verdict !== null) {
    await tellRule(ports, question, { state: verdict, comment: words });
    return await register.close(id, verdict);
  }
  const isNews = said !== mark && reports < reportsMax && (saidAgoMs === null || saidAgoMs >= reportEveryMs);
  const restMs = askedAgoMs > lateMs ? lookLateMs : lookMs;
  if (!isNews) return await register.putOff(id, restMs);
  await tellRule(ports, question, { comment: words });
  await register.told(id, { said: mark, restMs });
}

async function tellRule(
  { app }: AnsweringPorts,
  { repository, environment, run }: OpenQuestion,
  said: { readonly state?: 'approved' | 'rejected'; readonly comment: string },
): Promise<void> {
  const at = { ...placeOf(repository), run_id: run ?? 0, environment_name: environment ?? '' };
  const route = 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule';
  await app.call(repository, async (ask) => await ask(route, { ...at, ...said }));
}

/**
 * A merge queue waits for the check that its branch demands, so it gets one in any case. It says what is true of the pull
 * request's own head: that commit was looked at, and what the queue makes of it will be promoted by a commit of its own.
 */
async function answerQueue(ports: AnsweringPorts, { id, repository, commit, pull }: OpenQuestion): Promise<void> {
  const head = pull === null ? null : await headOf(ports.app, repository, pull);
  // It is answered once and for good, and who follows the log may have been away when the commit was promoted.
  if (!(await ports.isFollowed())) throw new OutletFailure('not_followed');
  const source = head === null ? [] : await ports.bulletinsAt({ repository, commit: head });
  const standing = commitStanding(source, 'approved');
  const page = source[0]?.links.page ?? ports.page;
  for (const check of checksOf(standing)) await postCheck(ports.app, { repository, commit, check, standing, page });
  await ports.register.close(id, standing.verdict ?? 'not_approved');
}

async function headOf(app: GitHubApp, repository: string, pull: number): Promise<string> {
  const at = { ...placeOf(repository), pull_number: pull };
  return await app.call(repository, async (ask) => {
    const { data } = await ask('GET /repos/{owner}/{repo}/pulls/{pull_number}', at);
    return data.head.sha;
  });
}

/** Under the names of the checks at the pull request, for it is these that a branch demands. */
function checksOf({ prototypes }: CommitStanding): CommitStanding['prototypes'] {
  const named = prototypes.map(({ name, verdict }) => ({ name: `Proviso (${name})`, verdict }));
  return named.length > 0 ? named : [{ name: 'Proviso', verdict: null }];
}

interface Posting {
  readonly repository: string;
  readonly commit: string;
  readonly check: CommitStanding['prototypes'][number];
  readonly standing: CommitStanding;
  readonly page: string;
}

async function postCheck(app: GitHubApp, { repository, commit, check, standing, page }: Posting): Promise<void> {
  const isApproved = check.verdict === 'approved';
  const title = isApproved
    ? 'Approved at the head of its pull request'
    : 'Not approved at the head of its pull request';
  const body = {
    ...{ ...placeOf(repository), name: check.name, head_sha: commit, details_url: page, status: 'completed' as const },
    conclusion: isApproved ? ('success' as const) : ('failure' as const),
    output: { title, summary: standing.words },
  };
  await app.call(repository, async (ask) => await ask('POST /repos/{owner}/{repo}/check-runs', body));
}

/** A no that nothing changes ends it: the run is over, somebody else has answered, or the commit is gone. */
async function giveBack({ register, note }: AnsweringPorts, { id, repository }: OpenQuestion, failure: OutletFailure) {
  const { code, more } = failure;
  if (more.permanent === true) {
    note('question.given_up', { repository, code });
    return await register.close(id, code);
  }
  const isForOperators = ['not_installed', 'bad_credentials', 'not_permitted'].includes(code);
  if (isForOperators) note('question.put_off', { repository, code });
  await register.putOff(id, more.retryAfterMs ?? (isForOperators ? mendMs : retryMs));
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
