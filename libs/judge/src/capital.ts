/**
 * Capital of a gambler who bets against the null hypothesis on several stakes at once, and is their mean. Under the
 * null no bet is better than fair, so the mean capital is an e-value at every look, however many looks there are.
 * Source: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting".
 */
export type Capital = {
  /** Looks that were bet on; it also says how much of the late-start money has been paid out. */
  readonly looks: number;
  /**
   * Every capital below is to be read times 2^(512·scale). An outage would overflow a double within minutes, and a
   * quiet month underflow it; so their sum is kept between 2^−512 and 2^512, by exact powers of two.
   */
  readonly scale: number;
  /** K: capital of the stakes that play from the first look. */
  readonly early: readonly number[];
  /** M: capital of the stakes that start late, for a regression that begins later. Empty when there is no late start. */
  readonly late: readonly number[];
  /** The sum of them all, so that reading the evidence costs nothing. */
  readonly total: number;
};

/** H: the late-start money is paid out evenly over this many looks (an hour at ten seconds a look). */
export const LATE_START_LOOKS = 360;

/** Beyond these the capitals are rescaled. */
const LARGE = 2 ** 512;
const SMALL = 2 ** -512;

const LOG_LARGE = 512 * Math.LN2;

/**
 * Less than this, beside a sum of at least 2^−512, is taken for nothing. A gambler may throw money away, and a processor
 * multiplies the denormal numbers below 2^−1022 many times slower. One look leaves at least a twentieth of a capital, so
 * that none gets there between two cleanings.
 */
const NEGLIGIBLE = 2 ** -700;
const CLEANING_LOOKS = 64;

/** More than this is not paid for one look, so that no product overflows; to be paid less is no worse for the null. */
const RELATIVE_MAX = 2 ** 256;

/** Capital 1 on so many bets; with a late start half of the money waits for it. */
export function emptyCapital(bets: number, start: 'early' | 'early_and_late'): Capital {
  const late = start === 'early' ? [] : new Array<number>(bets).fill(0);
  return { looks: 0, scale: 0, early: new Array<number>(bets).fill(1), late, total: bets };
}

/**
 * One look: K ← K·(1−f+f·x) and M ← (M + 1/H)·(1−f+f·x), for each relative x (mean at most 1 under the null) and each
 * stake f. The instalment 1/H stops after H looks, because then the late-start money is spent; going on would mint
 * evidence out of nothing.
 */
export function bet(capital: Capital, stakes: readonly number[], relatives: readonly number[]): Capital {
  const { looks, scale } = capital;
  const early = capital.early.slice();
  const late = capital.late.slice();
  const hasLate = late.length > 0;
  const instalment = looks < LATE_START_LOOKS ? unit(scale) / LATE_START_LOOKS : 0;
  let total = 0;
  let at = 0;
  // Most of a look's time is spent here: one loop for both, by index, is twice as fast as two with iterators.
  for (let each = 0; each < relatives.length; each += 1) {
    const gain = Math.min(relatives[each] as number, RELATIVE_MAX) - 1;
    for (let index = 0; index < stakes.length; index += 1) {
      const factor = 1 + (stakes[index] as number) * gain;
      const kept = (early[at] as number) * factor;
      early[at] = kept;
      total += kept;
      if (hasLate) {
        const joined = ((late[at] as number) + instalment) * factor;
        late[at] = joined;
        total += joined;
      }
      at += 1;
    }
  }
  const next = { looks: looks + 1, scale, early, late, total };
  if (total > LARGE || total < SMALL) return rescaled(next);
  return next.looks % CLEANING_LOOKS === 0 ? cleaned(next) : next;
}

/**
 * One look that holds several bets after one another, each fair given those before it: all of them with all of the money,
 * and one instalment for the look. With a single bet it is `bet`. They may throw away more than one bet can, so that what
 * is next to nothing is taken for nothing at once.
 */
export function betInTurn(capital: Capital, stakes: readonly number[], relatives: readonly number[]): Capital {
  const { looks, scale } = capital;
  const early = capital.early.slice();
  const late = capital.late.slice();
  const instalment = looks < LATE_START_LOOKS ? unit(scale) / LATE_START_LOOKS : 0;
  let total = 0;
  for (let index = 0; index < stakes.length; index += 1) {
    const factor = factorOf(stakes[index] as number, relatives);
    early[index] = orNothing((early[index] as number) * factor);
    total += early[index] as number;
    if (late.length === 0) continue;
    late[index] = orNothing(((late[index] as number) + instalment) * factor);
    total += late[index] as number;
  }
  const next = { looks: looks + 1, scale, early, late, total };
  return total > LARGE || total < SMALL ? rescaled(next) : next;
}

/** ln of ½·mean K + ½·(mean M + max(0, 1 − k/H)), the last term being money not yet paid out; or of mean K alone. */
export function logCapital({ looks, scale, early, late, total }: Capital): number {
  const shift = scale * LOG_LARGE;
  const mean = total / early.length;
  if (late.length === 0) return Math.log(mean) + shift;
  const unpaid = looks < LATE_START_LOOKS ? (1 - looks / LATE_START_LOOKS) * unit(scale) : 0;
  return Math.log((mean + unpaid) / 2) + shift;
}

/** ln K of one bet; a forecast needs them one by one. */
export function logBet({ scale, early }: Capital, index: number): number {
  return Math.log(early[index] as number) + scale * LOG_LARGE;
}

/** The same capital from the logarithms that the first version of a judge's state kept. */
export function capitalOfLogs(kept: {
  readonly looks: number;
  readonly logs: readonly number[];
  readonly lateLogs: readonly number[];
}): Capital {
  const scale = Math.round(Math.max(...kept.logs, ...kept.lateLogs) / LOG_LARGE);
  const plain = (log: number): number => Math.exp(log - scale * LOG_LARGE);
  const [early, late] = [kept.logs.map(plain), kept.lateLogs.map(plain)];
  const total = [...early, ...late].reduce((sum, each) => sum + each, 0);
  return { looks: kept.looks, scale, early, late, total };
}

function cleaned(capital: Capital): Capital {
  return { ...capital, early: capital.early.map(orNothing), late: capital.late.map(orNothing) };
}

/** What bets in turn make of a capital at this stake; one stake at a time, so that its product needs no array. */
function factorOf(stake: number, relatives: readonly number[]): number {
  let factor = 1;
  for (let each = 0; each < relatives.length; each += 1)
    factor *= 1 + stake * (Math.min(relatives[each] as number, RELATIVE_MAX) - 1);
  return factor;
}

function orNothing(capital: number): number {
  return capital < NEGLIGIBLE ? 0 : capital;
}

function rescaled({ looks, scale, early, late, total }: Capital): Capital {
  const [factor, step] = total > LARGE ? [SMALL, 1] : [LARGE, -1];
  const times = (each: number): number => each * factor;
  return { looks, scale: scale + step, early: early.map(times), late: late.map(times), total: total * factor };
}

/** Capital 1 at this scale. */
function unit(scale: number): number {
  return scale === 0 ? 1 : LARGE ** -scale;
}
