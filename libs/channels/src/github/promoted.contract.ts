import type { GateStatus, PromotionId, PromotionStanding } from '@proviso/domain';
import type { Bulletin } from '../bulletin.ts';

/** A commit of the tests. */
export const commit = 'a'.repeat(40);
/** Its repository. */
export const repository = 'acme/atlas';

/** A promotion of that commit, standing so. */
export function promoted(
  standing: PromotionStanding,
  over: Partial<Bulletin> & { readonly asked?: GateStatus; readonly number?: number } = {},
): Bulletin {
  const { asked, number = 1, ...rest } = over;
  const promotion: PromotionId = `prm_${String(number).padStart(32, '0')}`;
  const ended = ['live', 'rolled_back', 'demoted', 'rejected', 'expired', 'superseded', 'cancelled'].includes(standing);
  return {
    ...{
      promotion,
      revision: 1,
      prototype: 'atlas',
      version: 'v2',
      source: { repository, commit },
      openedAt: number,
    },
    ...{ standing, headline: `It is ${standing}.`, ended, checks: [], change: null, canRollBack: false },
    ask: asked === undefined ? null : { ...ask, status: asked },
    links: { page: 'https://proviso.example/decide/gate_1-approval', preview: null },
    ...rest,
  };
}

const ask = {
  ...{ attempt: 1, bound: null, requirements: [], channels: null, stepUp: false },
  ...{ isGlassBroken: false, reminded: 0, escalatedTo: null },
} as const;
