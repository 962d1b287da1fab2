import { type Scene, decide } from '@proviso/domain';
import { type PromotionRel, type PromotionScene, commandOf } from './action.ts';
import { type Asked, explain, subjectOf, whoCan } from './authority.ts';

/**
 * Why somebody may or may not do this to this promotion now: the rules of `authorise`, then the decision itself, tried
 * on what was read. Nothing is written, and what is true under the locks may be another thing by then. Null: there is
 * no such promotion. The last rule asked is the one that decides.
 */
export function explainAction(scene: Scene, rel: PromotionRel): readonly Asked[] | null {
  if (!isOnPromotion(scene)) return null;
  const command = commandOf(rel, scene);
  const asked = explain(subjectOf(scene, command));
  return asked.at(-1)?.answer === 'no' ? asked : [...asked, standingOf(scene, command)];
}

/** What the promotion's own state says: the very function that will decide. */
function standingOf(scene: Scene, command: Parameters<typeof decide>[1]): Asked {
  const { outcome } = decide(scene, command);
  if (outcome.kind !== 'refused')
    return { rule: 'state', answer: 'yes', words: 'nothing is in the way now', refusal: null };
  const { refusal } = outcome;
  return { rule: refusal.rule ?? `state/${refusal.code}`, answer: 'no', words: refusal.message, refusal };
}

/** Who could do this to this promotion: groups and roles, never names. */
export function whoCanDo(rel: PromotionRel, scene: PromotionScene): readonly string[] {
  return whoCan({ command: commandOf(rel, scene), promotion: scene.promotion });
}

function isOnPromotion(scene: Scene): scene is PromotionScene {
  return scene.promotion !== null;
}
