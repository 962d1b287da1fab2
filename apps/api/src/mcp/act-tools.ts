import { z } from 'zod';
import { bodies, ids, reason } from '../forms.ts';
import { resources } from '../resources.ts';
import { promotionShape, promotionShown } from './promotion-tools.ts';
import { gateId } from './shown.ts';
import { type Tool, tool } from './tool.ts';

/** A call whose answer was lost is sent again, and must not be a second one. */
const key = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/)
  .optional()
  .describe('of your choice: the same key with the same arguments does it once');

const steered = z.strictObject({ promotion: ids.promotion, reason, key });

const said = z.strictObject({
  promotion: ids.promotion,
  text: reason.describe('what you want to say; everybody who reads the promotion reads it under your name'),
  key,
});

const done = z.strictObject({ receipt: z.enum(['recorded', 'replayed']), revision: z.int() });

type Receipt = z.output<typeof resources.done>;

function doneShown({ receipt, revision }: Receipt): z.input<typeof done> {
  return { receipt, revision };
}

/** What comes of an act on something that exists. */
const acting = { answer: resources.done, output: done, show: doneShown };

/** What is asked for a promotion, with a reason. */
const steering = {
  input: steered,
  ask: ({ promotion, reason: why, key: once }: z.output<typeof steered>) => {
    return { id: promotion, body: { reason: why }, key: once };
  },
  ...acting,
};

/**
 * All that an agent may do: begin what gates then judge, ask a gate to look again, say something, and take away from
 * users. Nothing here decides, waives, hurries, configures or publishes.
 */
export const actTools: readonly Tool[] = [
  tool('start_promotion', {
    ...{ route: 'openPromotion', effect: 'acts', title: 'Start a promotion' },
    about:
      'Starts a promotion of a version that exists. People and gates decide on it; whoever you act for has no vote.',
    input: bodies.openPromotion.extend({ key }),
    ask: ({ key: once, ...body }) => ({ body, key: once }),
    answer: resources.promotion,
    output: promotionShape,
    show: promotionShown,
  }),
  tool('rerun_gate', {
    ...{ route: 'rerunGate', effect: 'acts', title: 'Run a gate again' },
    about: 'Runs a blocked gate again, once its cause is mended.',
    input: z.strictObject({ gate: gateId, reason: reason.optional(), key }),
    ask: ({ gate, reason: why, key: once }) => ({
      id: gate,
      body: why === undefined ? {} : { reason: why },
      key: once,
    }),
    ...acting,
  }),
  tool('comment', {
    ...{ route: 'addComment', effect: 'acts', title: 'Comment on a promotion' },
    about:
      'Says something about a promotion, under your name and for whom you act. Nothing follows from it; it is no vote.',
    input: said,
    ask: ({ promotion, text, key: once }) => ({ id: promotion, body: { text }, key: once }),
    ...acting,
  }),
  tool('pause_canary', {
    ...{ route: 'pausePromotion', effect: 'acts', title: 'Pause a canary' },
    about: 'Keeps a canary at its share. It is judged as before; only a person lets it go on.',
    ...steering,
  }),
  tool('roll_back', {
    ...{ route: 'rollbackPromotion', effect: 'takes', title: 'Roll back' },
    about: 'Takes a version back from users now. The lane is held afterwards, until a person resumes it.',
    ...steering,
  }),
];
