import { z } from 'zod';
import { closed } from './shown.ts';

/** Whoever reads by a tool pays for each letter; who wants more asks for the next page. */
const limitMax = 20;

/** What lists take and give. */
export const paging = {
  input: {
    after: closed.cursor.optional().describe('the `next` of the page before'),
    limit: z.int().min(1).max(limitMax).default(10),
  },
  next: closed.cursor.nullable(),
} as const;
