import { costKind, newestDay, readCostReport } from '@proviso/gates';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';
import { broughtFor } from './brought.ts';

/** A bill comes a day late, and nobody bills on Sundays; an older one says nothing about today. */
const ageMsMax = 4 * 86_400_000;

/** What the newest day cost, by the newest report that somebody has brought. */
export async function cost(errand: WatchErrand): Promise<Measured> {
  const { ports } = errand;
  const { before, since } = await broughtFor(errand, costKind);
  const digest = [...before, ...since].at(-1);
  if (digest === undefined) return unseen('cost_unknown', `nobody has brought a report of kind ${costKind}`);
  const report = readCostReport(await ports.evidence.get(digest));
  const newest = report === null ? null : newestDay(report);
  if (newest === null) return unseen('cost_unreadable', 'the newest report of costs is not of the form that is known');
  const evidence = [{ kind: 'cost_report', digest }];
  if (ports.clock.now() - Date.parse(newest.day) > ageMsMax) {
    const stale = unseen('cost_stale', `the newest day that was billed is ${newest.day}`);
    return { ...stale, evidence };
  }
  const message = `${newest.amount} ${report?.currency ?? ''} on ${newest.day}`;
  return { figure: newest.amount, reasons: [{ code: 'cost_billed', message }], evidence };
}
