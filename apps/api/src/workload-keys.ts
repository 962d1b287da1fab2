import { type JWTVerifyGetKey, createRemoteJWKSet, customFetch } from 'jose';

/** Keys of an issuer are a few kilobytes; whatever is larger is not read to its end. */
const answerBytesMax = 65_536;

/** A CI system that needs longer is down for us, and the run asks again. */
const answerWithinMs = 5_000;

/** Issuers roll their keys over in days; a key that was taken back is not believed for longer than this. */
const keysKeptMs = 600_000;

/** A flood of tokens with unknown keys, or an issuer that is down, costs one request in this time. */
const cooldownMs = 30_000;

/** The keys of CI systems' issuers, asked for at the addresses that an operator has listed and at no others. */
export interface WorkloadKeys {
  readonly isListed: (issuer: string) => boolean;
  /** Throws when the issuer does not answer as it should. */
  readonly of: (issuer: string) => Promise<JWTVerifyGetKey>;
}

interface Discovered {
  readonly at: number;
  readonly keys: Promise<JWTVerifyGetKey>;
  failed: boolean;
}

/** Opens an empty memory of keys. */
export function openWorkloadKeys(issuers: readonly string[], now: () => number): WorkloadKeys {
  const discovered = new Map<string, Discovered>();
  return {
    isListed: (issuer) => issuers.includes(issuer),
    of: async (issuer) => {
      if (!issuers.includes(issuer)) throw new Error('expected a listed issuer');
      const known = discovered.get(issuer);
      const keptMs = known?.failed === true ? cooldownMs : keysKeptMs;
      if (known !== undefined && now() - known.at < keptMs) return known.keys;
      const found: Discovered = { at: now(), keys: discover(issuer), failed: false };
      discovered.set(issuer, found);
      return found.keys.catch((error: unknown) => {
        found.failed = true;
        throw error;
      });
    },
  };
}

/** OpenID Connect Discovery. The keys must lie with the issuer, so that its word leads us nowhere else. */
async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const signal = AbortSignal.timeout(answerWithinMs);
  const answer = await fetchBounded(`${issuer}/.well-known/openid-configuration`, { signal });
  const told: unknown = answer.status === 200 ? await answer.json() : null;
  const { issuer: named, jwks_uri: address } = (told ?? {}) as Record<string, unknown>;
  if (named !== issuer || typeof address !== 'string' || !URL.canParse(address))
    throw new Error('expected a discovery document of this issuer');
  if (new URL(address).origin !== new URL(issuer).origin) throw new Error('expected the keys at the issuer itself');
  return createRemoteJWKSet(new URL(address), {
    timeoutDuration: answerWithinMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: keysKeptMs,
    [customFetch]: fetchBounded,
  });
}

/** Follows no redirect and reads no more than an honest answer has. */
async function fetchBounded(url: string, init: { readonly signal: AbortSignal }): Promise<Response> {
  const response = await fetch(url, {
    signal: init.signal,
    redirect: 'error',
    headers: { accept: 'application/json' },
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > answerBytesMax) throw new Error('expected a shorter answer of the issuer');
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status: response.status });
}
