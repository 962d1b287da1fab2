import { hash } from 'node:crypto';

/** Which release answers, with the probability the canary had at that moment. */
export type Choice =
  | { readonly kind: 'arm'; readonly arm: Arm }
  /** A first release that is not open for this unit yet. */
  | { readonly kind: 'not_open' }
  /** Nothing is meant to be served. */
  | { readonly kind: 'closed' }
  /** Something is meant to be served but is not up. */
  | { readonly kind: 'unavailable' };

/** The two sides of a split. */
export type Arm = 'canary' | 'stable';

/** What a choice depends on; nothing else may. */
export interface SplitFacts {
  readonly closed: boolean;
  readonly hasStable: boolean;
  readonly stableReady: boolean;
  readonly hasCanary: boolean;
  readonly canaryReady: boolean;
  /** The ordered share from 0 to 1, already 0 when the lease has lapsed. */
  readonly leasedShare: number;
  /** The unit's place in [0, 1). */
  readonly unit: number;
}

/** Splits one unit. There is no second try on the other arm: it would hide what the canary did. */
export function choose(facts: SplitFacts): Choice {
  if (facts.closed || (!facts.hasStable && !facts.hasCanary)) return { kind: 'closed' };
  const admitted = facts.hasCanary && facts.unit < facts.leasedShare;
  if (admitted && facts.canaryReady) return { kind: 'arm', arm: 'canary' };
  if (facts.hasStable) return facts.stableReady ? { kind: 'arm', arm: 'stable' } : { kind: 'unavailable' };
  return admitted ? { kind: 'unavailable' } : { kind: 'not_open' };
}

/**
 * The unit's place for one release. The salt is the release's id, so the visitors who meet one canary first are not the
 * ones who meet the next first; and as the weight grows, who is in stays in.
 */
export function placeOf(unit: string, salt: string): number {
  const bytes = hash('sha256', `${salt}\n${unit}`, 'buffer');
  return bytes.readUIntBE(0, 6) / 2 ** 48;
}

// The visitors of the last seconds on one machine; twice as many places are remembered at most, less than 1 MB.
const REMEMBERED_MAX = 4_096;

/**
 * `placeOf` with a memory: a page asks for many files, and hashing anew for each would be a tenth of our own work. What
 * was not asked for since the memory was last full is forgotten.
 */
export function openPlaces(): typeof placeOf {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return (unit, salt) => {
    const key = `${salt}\n${unit}`;
    const known = young.get(key);
    if (known !== undefined) return known;
    const place = old.get(key) ?? placeOf(unit, salt);
    if (young.size >= REMEMBERED_MAX) [old, young] = [young, new Map<string, number>()];
    young.set(key, place);
    return place;
  };
}
