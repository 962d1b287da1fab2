import type { Limits } from './limits.ts';
import { Refused } from './refusal.ts';

/**
 * Refuses once the output of an archive is out of proportion to its input. Looked at while unpacking, so that a bomb
 * costs at most the floor, and over the whole archive, so that overlapping entries of a zip count as often as they are
 * read.
 */
export function compressionGuard(packedBytes: number, limits: Limits): (unpackedBytes: number) => void {
  const unpackedMax = Math.max(limits.compressionRatioFloorBytes, packedBytes * limits.compressionRatioMax);
  return (unpackedBytes) => {
    if (unpackedBytes > unpackedMax) {
      const expected = `expected at most ${limits.compressionRatioMax} bytes out of each byte in the archive`;
      throw new Refused('bomb', `${expected}, got more`);
    }
  };
}
