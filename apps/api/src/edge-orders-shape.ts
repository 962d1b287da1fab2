import { z } from 'zod';
import { digest, secretReference } from './forms.ts';

const contract = z.strictObject({
  kind: z.enum(['static', 'node', 'python', 'command']).optional(),
  root: z.string().optional(),
  fallback: z.boolean().optional(),
  egress: z.array(z.string()).optional(),
  start: z.array(z.string()),
  portEnvironment: z.string(),
  environment: z.record(z.string(), z.string()),
  health: z.strictObject({ path: z.string(), timeoutMs: z.number().optional() }),
  memoryMbMax: z.number().optional(),
  readyWithinMs: z.number().optional(),
  errorStatusMin: z.number().optional(),
  secrets: z.array(z.strictObject({ name: z.string(), required: z.boolean() })).optional(),
});

/** A release that an edge is to run. */
export const releaseOrderShape = z.strictObject({
  release: z.string(),
  artifactDigest: digest,
  trusted: z.boolean(),
  contract,
});

/** All that an edge is told. The release's schema is given, so that it has one name wherever it stands. */
export function edgeOrdersShape(releaseOrder: typeof releaseOrderShape) {
  return z.strictObject({
    incarnation: z.string(),
    shutOut: z.array(z.string()).describe('people whom previews let in no longer'),
    lanes: z.array(
      z.strictObject({
        lane: z.string(),
        environment: z.enum(['staging', 'production']),
        hosts: z.array(z.string()),
        fence: z.strictObject({ incarnation: z.int(), counter: z.int() }),
        stable: releaseOrder.nullable(),
        canary: releaseOrder.nullable(),
        weightPercent: z.int(),
        leaseRemainingMs: z.number().nullable(),
        closed: z.boolean(),
        configuration: z.strictObject({
          revision: z.int(),
          variables: z.record(z.string(), z.string()),
          secrets: z.record(z.string(), z.strictObject({ reference: secretReference, at: z.int() })),
        }),
      }),
    ),
  });
}

/** One release of what an edge is told. */
export type ReleaseOrderResource = z.infer<typeof releaseOrderShape>;
