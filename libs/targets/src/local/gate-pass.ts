import { createHmac } from 'node:crypto';

/** The header by which a gate's request is known at the router; it is taken off before any release sees the request. */
export const GATE_HEADER = 'x-proviso-gate';

/** Worker and edge each make it from the control token, which itself never travels by way of a release's host. */
export function gatePassOf(controlToken: string): string {
  return createHmac('sha256', controlToken).update('proviso gate pass').digest('hex');
}
