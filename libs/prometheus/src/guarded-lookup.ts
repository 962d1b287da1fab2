import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { reachOf } from '@proviso/isolation';

/** Which addresses a source may have: of the internet only, or also of this machine and its private networks. */
export type AllowedReach = 'public' | 'private';

/** How a name becomes addresses; tests put their own names here. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** A name that leads where nobody may be asked. It names no address: that would tell a network's inside. */
export class AddressRefused extends Error {
  constructor() {
    super('expected an address that this source may have, got another');
    this.name = 'AddressRefused';
  }
}

/**
 * Looks a name up for one connection, which then goes to the very address that was checked: a name cannot change its mind
 * in between. One address that is not allowed spoils all, since who answers for the name may choose their order.
 */
export function guardedLookup(allowed: AllowedReach, resolve: Resolve = resolveByName): LookupFunction {
  return (name, options, callback) => {
    checkedAddresses(name, allowed, resolve).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = found;
        if (options.all === true) callback(null, found);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new AddressRefused(), '', 0),
    );
  };
}

/** True when an address that is written in a URL itself, where nothing is looked up, is not allowed. */
export function isRefusedHost({ hostname }: URL, allowed: AllowedReach): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) !== 0 && !isAllowed(address, allowed);
}

async function checkedAddresses(name: string, allowed: AllowedReach, resolve: Resolve): Promise<readonly string[]> {
  const addresses = await resolve(name);
  if (addresses.length === 0 || !addresses.every((address) => isAllowed(address, allowed))) throw new AddressRefused();
  return addresses;
}

function isAllowed(address: string, allowed: AllowedReach): boolean {
  const reach = reachOf(address);
  return reach === 'public' || (reach === 'private' && allowed === 'private');
}

async function resolveByName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
