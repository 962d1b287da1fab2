import type { Measure } from '@proviso/domain';

/** The group or role as people say it. */
export function nameOf(from: string): string {
  const words = from.slice(from.indexOf('/') + 1).replaceAll('-', ' ');
  return `${capital(words)}${from.startsWith('role/') ? ' (role)' : ''}`;
}

/** A sentence begins with a capital. */
export function capital(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** A gate's measured value. Rounded down, as everywhere: a bound is never shown better than it is. */
export function measureWords({ k, n, lower }: Measure): string {
  return `${k} of ${n}, at least ${(Math.floor(lower * 1_000) / 10).toFixed(1)} %`;
}

/** RFC 3339 to the minute, as people read it. */
export function timeOf(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}
