import { z } from 'zod';

// What GitHub sends has hundreds of fields; these are the ones that are looked at. Everything else is left where it is.

const number = z.int().positive();
const sender = z.object({ id: number, type: z.string() });
const repository = z.object({ full_name: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/) });
const sha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

/** Somebody did something with a comment on an issue or a pull request. */
export const issueComment = z.object({
  action: z.string(),
  repository,
  sender,
  issue: z.object({ number, pull_request: z.object({}).optional() }),
  comment: z
    .object({
      id: number,
      body: z.string(),
      created_at: z.iso.datetime(),
      user: z.object({ id: number }).nullable(),
      performed_via_github_app: z.object({}).nullish(),
    })
    // What an app writes in somebody's name, such as an assistant that they let in, nobody has written.
    .transform(({ performed_via_github_app: app, user, ...rest }) => ({ ...rest, user: app == null ? user : null })),
});

/** Something happened to a check run, such as that somebody pressed an action of it. */
export const checkRun = z.object({
  action: z.string(),
  repository,
  sender,
  check_run: z.object({
    id: number,
    head_sha: sha,
    app: z.object({ id: number }).nullable(),
  }),
  requested_action: z.object({ identifier: z.string().max(100) }).optional(),
});

/** Something happened to all check runs of a commit that one App has made. */
export const checkSuite = z.object({
  action: z.string(),
  repository,
  check_suite: z.object({ head_sha: sha, app: z.object({ id: number }).nullable() }),
});

/** Somebody's deploy job waits for us. Of the address for the answer only the number of the run is taken. */
export const deploymentRule = z.object({
  action: z.literal('requested'),
  repository,
  environment: z.string().min(1).max(255),
  deployment: z.object({ id: number, sha }),
  deployment_callback_url: z.string().regex(/\/actions\/runs\/\d{1,15}\/deployment_protection_rule$/),
});

/** A merge queue has made a group and waits for its checks. */
export const mergeGroup = z.object({
  action: z.literal('checks_requested'),
  repository,
  merge_group: z.object({ head_sha: sha, head_ref: z.string().max(500) }),
});
