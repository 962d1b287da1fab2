import type { PromotionCommand } from './command.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type Decided, Plan, type Scene } from './scene.ts';
import { focus } from './step.ts';
import type { Reason } from './verdict.ts';
import { type WatchReported, type WatchTurn, watchTurn } from './watch.ts';
import { type WatchAction, type WatchCheck, type WatchRule, judgeWatch } from './watch-rule.ts';

type ClaimWatch = Extract<PromotionCommand, { kind: 'ClaimWatch' }>;
type ReportWatch = Extract<PromotionCommand, { kind: 'ReportWatch' }>;

/** Asks whether a check of a live release is due. A look changes nothing, so the answer needs no entry and no fence. */
export function claimWatch(scene: Scene, { check }: ClaimWatch): Decided {
  const plan = new Plan(scene);
  return plan.answer({ kind: 'watching', turn: turnIn(plan, check, scene.now) });
}

/**
 * What a look at a live release has measured. Whether that is a breach, and what is done about it, is decided here, by
 * the policy that the release was promoted under; what is done is a decided row of its lane in this very transaction.
 */
export function reportWatch(scene: Scene, command: ReportWatch): Decided {
  const plan = new Plan(scene);
  const { check, round } = command;
  const turn = turnIn(plan, check, scene.now);
  // Somebody else's report came first, or the release went meanwhile: what was seen counts no more.
  if (turn.kind !== 'look') return plan.answer({ kind: 'watching', turn });
  if (round !== turn.round)
    return plan.refuse(refusal('stale_attempt', `expected round ${turn.round} of this check, got ${round}`));
  const figure = figureIn(scene, command);
  if (figure !== null && typeof figure !== 'number') return plan.refuse(figure);
  const rule = focus(plan).policy.watch;
  if (rule === undefined) return plan.answer({ kind: 'watching', turn: { kind: 'rest', until: null } });
  const told = toldOf(plan, command, { rule, figure });
  plan.tell(command.promotion, told);
  if (told.action !== null) carryOut(plan, scene, told.action);
  return plan.answer({ kind: 'watching', turn: turnIn(plan, check, scene.now) });
}

function turnIn(plan: Plan, check: WatchCheck, now: number): WatchTurn {
  return watchTurn(focus(plan), plan.lanes.production, { check, now });
}

/**
 * What the clock and the rows of people tell is measured here, under their locks; everything else was measured by the one
 * who looked. A refusal when it is no measure.
 */
function figureIn(scene: Scene, { check, figure, owner }: ReportWatch): number | null | Refusal {
  const { promotion, prototype, person, now } = scene;
  if (check === 'review') return now - (promotion?.endedAt ?? now);
  if (check === 'owner') {
    const current = prototype !== null && prototype.id === promotion?.prototype && prototype.owner === person?.id;
    if (owner === undefined || !current || person === null)
      return refusal('stale_revision', 'expected whoever answers for the prototype now, got another');
    return person.disabled ? 1 : 0;
  }
  if (figure === null || (Number.isFinite(figure) && figure >= 0)) return figure;
  return refusal('report_invalid', `expected a finite figure from 0, got ${figure}`);
}

function toldOf(
  plan: Plan,
  { check, round, reasons, evidence, counts }: ReportWatch,
  { rule, figure }: { readonly rule: WatchRule; readonly figure: number | null },
): WatchReported {
  const judged = figure === null ? null : judgeWatch(rule, check, figure);
  const standing = judged === null ? 'unseen' : judged.breached ? 'breached' : 'well';
  const summary: readonly Reason[] = judged === null ? [] : [{ code: `watch_${standing}`, message: judged.words }];
  const action = standing === 'breached' ? actionFor(plan, { check, rule, figure: figure ?? 0 }) : null;
  const body = { check, round, standing, figure, reasons: [...summary, ...reasons], evidence, action } as const;
  return { kind: 'watch_reported', v: 1, ...body, ...(counts !== undefined && { counts }) };
}

/**
 * A breach that people know of already is told again and not acted on again: whoever resumed the lane meanwhile meant
 * it. One more finding is another breach.
 */
function actionFor(
  plan: Plan,
  { check, rule, figure }: { readonly check: WatchCheck; readonly rule: WatchRule; readonly figure: number },
): WatchAction | null {
  const before = focus(plan).watch?.[check];
  const known = before !== undefined && before.breachedSince !== null;
  const more = check === 'scan' && figure > (before?.figure ?? 0);
  return known && !more ? null : (rule[check]?.do ?? null);
}

/** By action: what the row of the policy means for the lane. Nothing here makes anything worse for its users than it was. */
const orders: { readonly [Action in WatchAction]: (plan: Plan, by: Scene['actor']['id']) => void } = {
  note: () => undefined,
  hold: (plan, by) => void plan.ask('production', { move: 'hold', reason: 'watch', by }),
  demote: (plan, by) => takeBack(plan, { outcome: 'demoted', by }),
  rollback: (plan, by) => takeBack(plan, { outcome: 'rolled_back', by }),
};

function carryOut(plan: Plan, scene: Scene, action: WatchAction): void {
  orders[action](plan, scene.actor.id);
}

/** The release before serves again, or the closed page where there is none; nothing new comes before a person says so. */
function takeBack(
  plan: Plan,
  { outcome, by }: { readonly outcome: 'demoted' | 'rolled_back'; readonly by: Scene['actor']['id'] },
): void {
  const { id } = focus(plan);
  // Never refused: a turn to look means that this very release serves the locked lane.
  plan.ask('production', { move: 'restore', promotion: id });
  plan.ask('production', { move: 'hold', reason: outcome, by });
  plan.tell(id, { kind: 'promotion_ended', v: 1, outcome });
}
