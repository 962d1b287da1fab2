import { artifactOf } from '@proviso/domain';
import { clopperPearsonLower } from '@proviso/judge';
import type { LaneCounts } from '@proviso/targets';
import { contractOf } from '../candidate-folder.ts';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';

/** As sure as the evaluation is: few requests burn nothing, however many of them fail. */
const confidence = 0.95;

/**
 * How much faster errors come than the contract's objective allows, since the last look: the exact lower bound of their
 * share, so that a handful of failures among a handful of visitors is no breach.
 */
export async function errorBudget({ ports, state }: WatchErrand): Promise<Measured> {
  const found = await contractOf(ports, state.candidate.manifest.artifact);
  if (!found.ok) return unseen('contract_unreadable', 'the contract that it was promoted with cannot be read any more');
  const { errorRateMax } = found.contract.objective;
  const now = countsIn(await ports.edge.counts(state.lanes.production));
  const before = state.watch?.errorBudget?.counts;
  // Another start of the edge, or another change of traffic, counts from nothing.
  const since = before?.source === now.source ? before : { requests: 0, bad: 0 };
  const [requests, bad] = [now.requests - since.requests, now.bad - since.bad];
  if (requests <= 0 || bad < 0 || bad > requests)
    return {
      ...unseen('nobody_came', `nobody has asked ${artifactOf(state).slice(7, 14)} since the last look`),
      counts: now,
    };
  const lower = clopperPearsonLower({ passes: bad, trials: requests }, confidence);
  const message = `${bad} of ${requests} requests failed since the last look, and the objective is ${errorRateMax}`;
  return { figure: lower / errorRateMax, reasons: [{ code: 'errors_counted', message }], evidence: [], counts: now };
}

function countsIn({ boot, fence, stable }: LaneCounts) {
  const source = `${boot}/${fence.incarnation}.${fence.counter}`;
  return { source, requests: stable.requests, bad: stable.badEvents };
}
