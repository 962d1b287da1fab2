import { ruleOf } from '@proviso/domain';
import { evaluated } from '../steps/evaluation.ts';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';

/** Puts the cases to the live version again, in a process of its own; the figure is the upper bound of right answers. */
export async function evaluation(errand: WatchErrand): Promise<Measured> {
  const { state, round } = errand;
  const rule = ruleOf(state.policy, 'evaluation');
  const below = state.policy.watch?.evaluation?.below;
  if (rule === undefined || below === undefined)
    return unseen('not_evaluated', 'this version was let through without an evaluation, so there is none to repeat');
  const trial = `${state.id.slice('prm_'.length)}-w${round}`;
  const acted = await evaluated(errand, { trial, bar: below, repeats: rule.repeats });
  if (acted.kind !== 'report') return unseen('tool_broke', 'the evaluation has told nothing');
  const { reasons, evidence, measure } = acted.outcome;
  // A version that does not start any more has answered nothing; that is the edge's to tell, and the errors' to count.
  // Undecided against the bar is a count like any other; a planted control that went unseen makes every count worthless.
  const counted = measure !== null && measure.n > 0 && !reasons.some(({ code }) => code === 'control_missed');
  return { figure: counted ? measure.upper : null, reasons, evidence };
}
