import { z } from 'zod';
import { ids } from './forms.ts';

const limitValues = {
  diskBytesMax: z.int(),
  uploadBytesMax: z.int(),
  prototypesMax: z.int(),
  runsAtOnceMax: z.int(),
  buildsPerDayMax: z.int(),
  retentionDays: z.int(),
};

/** Limits in force and as set, with what is taken. */
export const limitsShape = z.strictObject({
  limits: z.strictObject(limitValues).describe('in force'),
  set: z.strictObject(limitValues).partial().describe('by an operator; the rest are defaults'),
  usage: z.strictObject({ diskBytes: z.int(), prototypes: z.int(), runs: z.int(), builds: z.int() }),
  revision: z.int().describe('its ETag'),
});

const isolation = z.enum(['bubblewrap', 'namespace', 'none']);

/** What edges say they run, and the places to run in. */
export const runningShape = z.strictObject({
  edges: z.array(
    z.strictObject({
      edge: z.string(),
      ageMs: z.number().describe('since its last report'),
      isolation: z.strictObject({ way: isolation, limits: z.string() }).nullable(),
      releases: z.array(
        z.strictObject({
          lane: z.string(),
          release: z.string(),
          state: z.string(),
          pid: z.int().nullable(),
          port: z.int().nullable(),
          restarts: z.int(),
          isolation: isolation.nullable(),
        }),
      ),
    }),
  ),
  places: z.strictObject({ running: z.array(ids.promotion), waiting: z.array(ids.promotion) }),
});
