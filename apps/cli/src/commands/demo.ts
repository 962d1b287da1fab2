import { temporalBinary } from '@proviso/servers';
import { type Cast, type RefusedVote, type ShownPrompt, openCast, openVoting } from '../demo/cast.ts';
import { travel } from '../demo/journey.ts';
import { prepareLane } from '../demo/lane.ts';
import { type DemoOutcome, differences, outcomeOf } from '../demo/outcome.ts';
import { type DemoScript, readScript } from '../demo/script.ts';
import { chainWords, verifyChain } from '../history-chain.ts';
import { readHistory } from '../reading.ts';
import type { Session } from '../session.ts';
import { type Stack, untilAskedToEnd } from '../stack.ts';
import { short, table } from '../table.ts';
import { Trouble } from '../trouble.ts';
import { countWorkflowEvents, type WorkflowSource } from '../workflow-events.ts';
import { historyTable } from './history.ts';
import { boot, end, type UpFlags } from './up.ts';

/** Flags of `demo` beside those of `up`. */
export interface DemoFlags extends UpFlags {
  readonly once?: boolean;
}

/** Boots a deployment, carries the versions of a folder through it, and shows what became of each. */
export async function demo(session: Session, folder: string, flags: DemoFlags): Promise<void> {
  const startedMs = performance.now();
  const script = readScript(folder);
  const stack = await boot(session, flags, [script.policySource]);
  try {
    const cast = openCast(script, stack.deployment, session.interruption.signal);
    const outcomes = await play(session, { script, stack, cast });
    await report(session, { cast, outcomes, stack, elapsedMs: Math.round(performance.now() - startedMs) });
    const wrong = differences(script.versions, outcomes);
    if (wrong.length > 0) throw new Trouble(`the demo did not end as expected\n  ${wrong.join('\n  ')}`);
    if (flags.once === true) return;
    session.progress.say(`the API stays at ${stack.deployment.apiUrl} until Ctrl-C`);
    await untilAskedToEnd(stack, session.interruption.asked);
  } finally {
    await end(session, stack);
  }
}

interface Play {
  readonly script: DemoScript;
  readonly stack: Stack;
  readonly cast: Cast;
}

async function play(session: Session, { script, stack, cast }: Play): Promise<readonly DemoOutcome[]> {
  const { say, now } = session.progress;
  const { signal } = session.interruption;
  const prototype = await prepareLane({ script, cast, say, signal });
  const stage = {
    ...{ script, cast, say, now, signal },
    routerUrl: stack.deployment.routerUrl,
    vote: openVoting(cast, {
      ...{ tell: say, prompt: (prompt) => showPrompt(session, prompt) },
      refused: (vote) => tellRefused(session, vote),
    }),
  };
  const source = workflowSource(session, stack);
  const outcomes: DemoOutcome[] = [];
  for (const version of script.versions) {
    const journey = travel(stage, version);
    const promotion = await Promise.race([journey, breaking(stack, journey)]);
    session.progress.done();
    const outcome = outcomeOf(promotion, { prototype, version });
    const events = source === null ? null : await countWorkflowEvents(source, promotion.id);
    outcomes.push({ ...outcome, workflowEvents: events });
    if (session.json) session.print(JSON.stringify({ demo: 'promotion', ...outcome, workflowEvents: events }));
  }
  return outcomes;
}

/** As somebody in that place would read it; here the votes come from the demo's own people. */
function showPrompt({ json, print, progress }: Session, prompt: ShownPrompt): void {
  if (json) return print(JSON.stringify({ demo: 'prompt', ...prompt }));
  progress.say(`what ${channelNames[prompt.channel] ?? prompt.channel} would show:`);
  for (const line of prompt.lines) progress.say(`  | ${line}`);
}

const channelNames: Readonly<Record<string, string>> = { slack: 'Slack', github: 'GitHub' };

function tellRefused({ json, print, progress }: Session, vote: RefusedVote): void {
  if (json) print(JSON.stringify({ demo: 'refused', ...vote }));
  else progress.say(`${vote.person} tried to approve their own work and was refused: ${vote.message}`);
}

/** A part that cannot be kept alive ends the demo at once instead of at its time limit. */
async function breaking(stack: Stack, journey: Promise<unknown>): Promise<never> {
  const name = await stack.broken;
  // Its own failure would come too late to be told.
  journey.catch(() => undefined);
  throw new Trouble(`expected ${name} to stay alive, got too many deaths in a row`);
}

function workflowSource(session: Session, stack: Stack): WorkflowSource | null {
  try {
    return { binary: temporalBinary(session.config.projectRoot), address: stack.deployment.temporalAddress };
  } catch {
    // A server elsewhere needs no program here; the count is then left out.
    return null;
  }
}

interface Report {
  readonly cast: Cast;
  readonly outcomes: readonly DemoOutcome[];
  readonly stack: Stack;
  readonly elapsedMs: number;
}

/** Enough of a history to see how it began and ended. */
const ROWS_FIRST_MAX = 4;
const ROWS_LAST_MAX = 8;

async function report(session: Session, { cast, outcomes, stack, elapsedMs }: Report): Promise<void> {
  if (session.json) {
    session.print(JSON.stringify({ demo: 'done', promotions: outcomes, elapsedMs }));
    return;
  }
  const { builder: api } = cast;
  for (const { version, promotion } of outcomes) {
    const entries = await readHistory(api, promotion);
    const left = entries.length - ROWS_FIRST_MAX - ROWS_LAST_MAX;
    const shown =
      left <= 0 ? entries : [...entries.slice(0, ROWS_FIRST_MAX), ...entries.slice(entries.length - ROWS_LAST_MAX)];
    const more =
      left <= 0 ? '' : ` (${left} between the first ${ROWS_FIRST_MAX} and the last ${ROWS_LAST_MAX} not shown)`;
    session.print(`\n${version}, ${promotion}${more}\n${historyTable(shown)}\n${chainWords(verifyChain(entries))}`);
  }
  const rows = outcomes.map((each) => [
    ...[each.version, each.outcome, each.stoppedAt ?? '–', `${each.weight} %`, short(each.liveDigest)],
    ...[String(each.workflowEvents ?? '–'), placeOf(each)],
  ]);
  const headings = ['version', 'outcome', 'stopped at', 'weight', 'live', 'workflow events', 'where or why'];
  session.print(`\n${table(headings, rows)}\n\n${(elapsedMs / 1_000).toFixed(1)} s · API ${stack.deployment.apiUrl}`);
}

function placeOf({ blockers }: DemoOutcome): string {
  const [first] = blockers;
  if (first === undefined) return '';
  return first.file === undefined ? first.message : `${first.file}${first.line === undefined ? '' : `:${first.line}`}`;
}
