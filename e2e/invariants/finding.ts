/** The invariants of ARCHITECTURE.md that are checked here, and the chain under all of them. */
export type InvariantName = 'chain' | 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I7' | 'I10';

/** One place where an invariant does not hold. */
export interface Finding {
  readonly invariant: InvariantName;
  /** A stream, an entry or a lane. */
  readonly subject: string;
  readonly detail: string;
  /** False: wrong at any instant, however short. Otherwise it counts when it lasts. */
  readonly lasting?: boolean;
}
