import { z } from 'zod';

/** More lanes than one machine serves; a report beyond it is not one of ours. */
const lanesMax = 2_000;
/** A lane has a stable, a canary and at most a few that are being stopped. */
const releasesMax = 50;

const fence = z.strictObject({ incarnation: z.int().min(0), counter: z.int().min(0) });
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** The last lines of a release's output are enough to mend it; the edge keeps the rest. */
const detailLengthMax = 4_000;

/** A stranger's text: kept short, and without what PostgreSQL cannot store. */
const detail = z.string().transform((text) => text.slice(-detailLengthMax).replaceAll('\0', '\uFFFD').toWellFormed());
const word = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\0\p{Cs}]*$/u);

const release = z.strictObject({
  release: word,
  artifactDigest: digest,
  state: z.enum(['fetching', 'starting', 'ready', 'unhealthy', 'exited', 'refused', 'stopped']),
  reason: word.optional(),
  detail: detail.optional(),
  treeDigest: digest.optional(),
  pid: z.int().min(0).optional(),
  port: z.int().min(0).max(65_535).optional(),
  restarts: z.int().min(0),
  final: z.literal(true).optional(),
});

/** What an edge says about itself at each poll. The same JSON is declared by the edge's own room, which no door imports. */
export const edgeReport = z.strictObject({
  edge: word,
  boot: word,
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
