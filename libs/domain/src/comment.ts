import { type Refusal, refusal } from './refusal.ts';
import { type Decided, Plan, type Scene } from './scene.ts';
import { focus } from './step.ts';

/** More than people say about one version; who goes on beyond it fills a log, and everybody's page. */
export const commentsMax = 200;

/**
 * Somebody says something about a promotion, before or after its end. It is told and counted, and nothing follows from it:
 * not even the clock is asked first, since what the clock would tell would stand there with the same words as its reason.
 */
export function comment(scene: Scene): Decided {
  const plan = new Plan(scene);
  const state = focus(plan);
  const no = unsayable(scene, state.comments ?? 0);
  if (no !== null) return plan.refuse(no);
  plan.tell(state.id, { kind: 'commented', v: 1, by: scene.actor.id });
  return plan.answer({ kind: 'done' });
}

function unsayable({ says }: Scene, comments: number): Refusal | null {
  if (!says) return refusal('reason_required', 'expected the words of the comment, got none');
  return comments < commentsMax
    ? null
    : refusal('too_many', `expected at most ${commentsMax} comments on a promotion, got one more`);
}
