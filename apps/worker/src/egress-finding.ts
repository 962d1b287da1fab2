import { type Reason, worstOf } from '@proviso/domain';
import type { ReleaseReport } from '@proviso/targets';
import type { Acted } from './step-outcome.ts';

/** One reason for each host that a release asked for without declaring it. */
export function egressReasons({ egress = [] }: Pick<ReleaseReport, 'egress'>): readonly Reason[] {
  return egress
    .filter(({ declared }) => !declared)
    .map(({ host, requests }) => ({
      code: 'undeclared_egress',
      message: `the prototype asked for ${host} ${requests === 1 ? 'once' : `${requests} times`} without declaring it; name it under egress in proviso.yaml, or do without`,
    }));
}

/** What a gate found, with what the release asked for meanwhile: a host that nobody knew of lets nobody through. */
export function withEgress(acted: Acted, release: Pick<ReleaseReport, 'egress'>): Acted {
  const found = egressReasons(release);
  if (acted.kind !== 'report' || found.length === 0) return acted;
  const { outcome } = acted;
  const verdict = worstOf([outcome.verdict, 'fail']);
  return { kind: 'report', outcome: { ...outcome, verdict, reasons: [...outcome.reasons, ...found] } };
}
