/** What a scenario is played with. */
export interface Order {
  /** The checkout: its code, examples and policies. */
  readonly projectRoot: string;
  /** A smaller profile for the tests: the same code, less of it. */
  readonly quick: boolean;
  /** Hears what happens on the way. */
  readonly say: (line: string) => void;
}

/** The same for a scenario that is played in rounds; each says what one is. */
export interface RepeatedOrder extends Order {
  readonly rounds: number;
}
