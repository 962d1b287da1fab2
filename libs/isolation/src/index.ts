export { type AddressReach, reachOf } from './egress-address.ts';
export {
  type EgressCount,
  type EgressCounts,
  egressCountsOf,
  type EgressProxy,
  openEgressProxy,
} from './egress-proxy.ts';
export { type AllowedReach, AddressRefused, guardedLookup, isRefusedHost, type Resolve } from './guarded-lookup.ts';
export { findIsolation, type Isolation, type IsolationWay } from './isolation.ts';
export { describeLimits, type LimitKind } from './limits.ts';
export {
  adoptProcess,
  endProcess,
  type MarkedProcess,
  type ProcessEnd,
  type ProcessMark,
  residentMbOf,
  StopFailure,
} from './marked-process.ts';
export type { IsolationOrder, Mount, SandboxLimits } from './order.ts';
export { familyOf, identityOf, listMarked, listProcesses } from './process-table.ts';
export { egressPort, egressSocketOf, inboundSocketOf, type Sandbox, startIn as startIsolated } from './sandbox.ts';
export type { Fixture, Toolchain } from './toolchain.ts';
