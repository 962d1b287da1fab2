import { z } from 'zod';

// What GitHub sends has hundreds of fields; these are the ones that are looked at. Everything else is left where it is.

const number = z.int().positive();
const sender = z.object({ id: number, type: z.string() });
const repository = z.object({ full_name: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/) });

/** Somebody did something with a comment on an issue or a pull request. */
export const issueComment = z.object({
  action: z.string(),
  repository,
  sender,
  issue: z.object({ number, pull_request: z.object({}).optional() }),
  comment: z.object({
    id: number,
    body: z.string(),
    created_at: z.iso.datetime(),
    user: z.object({ id: number }).nullable(),
  }),
});

/** Something happened to a check run, such as that somebody pressed an action of it. */
export const checkRun = z.object({
  action: z.string(),
  repository,
  sender,
  check_run: z.object({
    id: number,
    head_sha: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/),
    app: z.object({ id: number }).nullable(),
  }),
  requested_action: z.object({ identifier: z.string().max(100) }).optional(),
});
