import { listLooks, type Look, type Promotion } from '@proviso/client';
import type { Api } from './api.ts';
import type { CanarySeries } from './canary-picture.ts';
import { isTransient } from './follow.ts';

/** A canary's series as far as it has been read. */
export interface SeriesReader {
  /** Reads on, and gives what is new. An API that is away has nothing new. */
  more(promotion: Promotion): Promise<readonly Look[]>;
  /** All of it; null before the first look. */
  series(): CanarySeries | null;
}

const pageLooks = 500;
/** Two days of looks that are all stored; of a longer canary the newest are drawn. */
const looksMax = 40_000;
const pagesMax = looksMax / pageLooks;

/** Opens the series of a promotion; nothing is read before somebody asks. */
export function openSeries(api: Api, id: string): SeriesReader {
  let known: readonly Look[] = [];
  let thresholds: CanarySeries['thresholds'] | null = null;
  const page = async () => {
    const after = known.at(-1)?.number;
    const query = { limit: pageLooks, ...(after !== undefined && { after }) };
    return await api.read((options) => listLooks({ ...options, path: { id }, query }));
  };
  return {
    more: async (promotion) => {
      const fresh: Look[] = [];
      if (!hasCanary(promotion)) return fresh;
      for (let pages = 0; pages < pagesMax; pages += 1) {
        const read = await page().catch(quietly);
        if (read === null) return fresh;
        thresholds = read.thresholds;
        fresh.push(...read.items);
        known = [...known, ...read.items].slice(-looksMax);
        if (read.next === null) return fresh;
      }
      return fresh;
    },
    series: () => (thresholds === null || known.length === 0 ? null : { points: known, thresholds }),
  };
}

function hasCanary({ gates }: Promotion): boolean {
  return gates.some(({ name, status }) => name === 'canary' && status !== 'pending');
}

function quietly(error: unknown): null {
  if (!isTransient(error)) throw error;
  return null;
}
