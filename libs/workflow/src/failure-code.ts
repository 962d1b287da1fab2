/**
 * Every type of failure that may reach Temporal. A closed list: histories are kept for weeks and read by many, so no text
 * of a tool or a person may lie in them.
 */
export const failureCodes = [
  /** PostgreSQL does not answer; tried again for ever, because nothing is lost while it is away. */
  'journal_unavailable',
  /** The journal said no where no is impossible; tried again, since a newer worker may know better. */
  'refused',
  /** The worker was told to stop in the middle; another one takes the step up. Not a cancellation: that means rollback. */
  'interrupted',
  /** Our bug; tried again, since a fixed worker heals it without anybody touching the run. */
  'unexpected',
  /** No such promotion: the run was started by hand or its database is gone. It ends. */
  'promotion_unknown',
] as const;

/** One of them. */
export type FailureCode = (typeof failureCodes)[number];

/** The only failures that end a run. */
export const finalFailureCodes: readonly FailureCode[] = ['promotion_unknown'];
