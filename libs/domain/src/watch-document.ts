import { type Of, about, choice, duration, group, number, preset } from './shape.ts';
import { type WatchRule, watchActions } from './watch-rule.ts';

const order = about(choice(watchActions), 'what is done when it is breached');
const dayMs = 86_400_000;

/** The section of a policy about what happens after promotion; a check without a row is not made. */
export const watchShape = group(
  {},
  {
    every: preset(about(duration({ minMs: 60_000, maxMs: 30 * dayMs }), 'how often a live release is looked at'), '6h'),
    owner: about(group({ do: order }), 'breached when whoever answers for the prototype was shut out'),
    review: about(
      group({ after: about(duration({ minMs: 3_600_000 }), 'how long it may be live unreviewed'), do: order }),
      'breached when it has been live for so long',
    ),
    cost: about(
      group({ capPerDay: about(number({ min: 0 }), 'in the currency of the reports'), do: order }),
      'breached when a day costs more',
    ),
    errorBudget: about(
      group({ burnMax: about(number({ min: 0.1, max: 1_000 }), 'times the objective of its contract'), do: order }),
      'breached when errors surely come faster',
    ),
    scan: about(group({ do: order }), 'breached by whatever was not found when it was let through'),
    evaluation: about(
      group({
        below: about(number({ min: 0, max: 1, exclusive: true }), 'the share of right answers'),
        do: order,
      }),
      'breached when the answers are surely worse',
    ),
    drift: about(
      group({ psiMax: about(number({ min: 0.01, max: 10 }), 'population stability index'), do: order }),
      'breached when the scores have moved further from those of the promotion',
    ),
  },
);

/** From the words and units of the file to those of the product. */
export function watchFrom({ every, review, ...rest }: Of<typeof watchShape>): WatchRule {
  return {
    everyMs: every,
    ...rest,
    ...(review !== undefined && { review: { afterMs: review.after, do: review.do } }),
  };
}
