import type { RetryPolicy } from '@temporalio/common';
import { finalFailureCodes } from './failure-code.ts';

/** Whatever breaks between us and the journal is tried again for ever; only the journal ends a promotion. */
export const retry: RetryPolicy = {
  initialInterval: 250,
  backoffCoefficient: 2,
  maximumInterval: '10s',
  nonRetryableErrorTypes: [...finalFailureCodes],
};
