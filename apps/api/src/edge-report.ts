import { z } from 'zod';

/** More lanes than one machine serves; a report beyond it is not one of ours. */
const lanesMax = 2_000;
/** A lane has a stable, a canary and at most a few that are being stopped. */
const releasesMax = 50;

const fence = z.strictObject({ incarnation: z.int().min(0), counter: z.int().min(0) });
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** What a release said last may be anybody's secret: workers ask the edge for it, and here it is read and not kept. */
const detail = z.string().transform(() => undefined);
const word = z
  .string()
  .min(1)
  .max(300)
  .regex(/^[^\x00]*$/)
  .refine((text) => text.isWellFormed());

const isolation = z.enum(['bubblewrap', 'namespace', 'none']);
/** A hundred hosts and one row for all others. */
const egressMax = 101;
const releaseState = z.enum(['fetching', 'starting', 'ready', 'unhealthy', 'exited', 'refused', 'stopped']);

const release = z.strictObject({
  release: word,
  artifactDigest: digest,
  state: releaseState,
  reason: word.optional(),
  detail: detail.optional(),
  treeDigest: digest.optional(),
  pid: z.int().min(0).optional(),
  port: z.int().min(0).max(65_535).optional(),
  isolation: isolation.optional(),
  egress: z
    .array(z.strictObject({ host: word, declared: z.boolean(), requests: z.int().min(0) }))
    .max(egressMax)
    .optional(),
  restarts: z.int().min(0),
  final: z.literal(true).optional(),
  configurationRevision: z.int().min(0).optional(),
  rotation: z
    .strictObject({ configurationRevision: z.int().min(0), state: releaseState, reason: word.optional() })
    .optional(),
});

/** What an edge says about itself at each poll. The same JSON is declared by the edge's own room, which no door imports. */
export const edgeReport = z.strictObject({
  edge: word,
  boot: word,
  isolation: z.strictObject({ way: isolation, limits: word, why: z.string().max(2_000) }).optional(),
  lanes: z
    .array(
      z.strictObject({
        lane: word,
        fence,
        weightServedPercent: z.number().min(0).max(100),
        parked: z.boolean(),
        releases: z.array(release).max(releasesMax),
        ignoredFence: fence.optional(),
      }),
    )
    .max(lanesMax),
});

/** It as read: every word in it is an edge's own. */
export type EdgeReport = z.infer<typeof edgeReport>;
