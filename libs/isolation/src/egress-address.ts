import { BlockList, isIP } from 'node:net';

/** Who is at an address: somebody of the internet, this machine or its network, or nobody who may ever be asked. */
export type AddressReach = 'public' | 'private' | 'never';

/** What is neither of the internet nor of a network that somebody runs is never asked: link-local and metadata addresses. */
export function reachOf(address: string): AddressReach {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0 || METADATA.check(address, family)) return 'never';
  if (isPublicAddress(address)) return 'public';
  return PRIVATE.check(address, family) ? 'private' : 'never';
}

/**
 * Whether an address is one of the public internet. Names are a stranger's choice, so what they resolve to must not be
 * this machine, its network, a cloud's metadata service, or any such address in disguise.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !INSIDE.check(address, 'ipv4');
  if (family !== 6) return false;
  // Only what is given out to networks of the internet; mapped, translated and tunnelled IPv4 is left out with the rest.
  return GLOBAL.check(address, 'ipv6') && !INSIDE.check(address, 'ipv6');
}

const INSIDE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  INSIDE.addSubnet(network, prefix, 'ipv4');
}
// Teredo and 6to4 carry IPv4; the third is for documentation.
INSIDE.addSubnet('2001::', 32, 'ipv6');
INSIDE.addSubnet('2002::', 16, 'ipv6');
INSIDE.addSubnet('2001:db8::', 32, 'ipv6');

const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');

const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4');
PRIVATE.addSubnet('100.64.0.0', 10, 'ipv4');
PRIVATE.addSubnet('127.0.0.0', 8, 'ipv4');
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4');
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4');
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

// Where clouds tell a machine its credentials, as far as these lie among addresses of others; 169.254 is in no list above.
const METADATA = new BlockList();
METADATA.addAddress('100.100.100.200', 'ipv4');
METADATA.addAddress('168.63.129.16', 'ipv4');
METADATA.addAddress('fd00:ec2::254', 'ipv6');
METADATA.addAddress('fd20:ce::254', 'ipv6');
