import { z } from 'zod';
import { ids } from './forms.ts';

/** Why somebody may or may not do something, beside who it is about. */
export const explanationFields = {
  promotion: ids.promotion,
  action: z.string(),
  allowed: z.boolean(),
  code: z.string().nullable().describe('of the refusal that it would be; null: allowed'),
  decidedBy: z.string().describe('the last rule below'),
  rules: z
    .array(z.strictObject({ rule: z.string(), answer: z.enum(['yes', 'no']), words: z.string() }))
    .describe('in the order of asking, up to the first no; in words to the person concerned'),
  whoCan: z.array(z.string()),
};
