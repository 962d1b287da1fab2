import { z } from 'zod';

const told = { receipt: z.enum(['recorded', 'replayed']) };
const written = { revision: z.int(), entries: z.array(z.int()) };

/** What came of a change: 2xx means durable. */
export const receiptShape = z.strictObject({ ...told, ...written });

/** What came of a vote. */
export const decisionReceiptShape = z.strictObject({
  ...told,
  ...{ decision: z.string(), gate: z.string(), passed: z.boolean() },
  ...written,
});
