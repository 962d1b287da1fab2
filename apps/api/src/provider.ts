import * as openid from 'openid-client';
import type { OidcConfig } from './config.ts';
import { Problem } from './problem.ts';

/** A provider that takes longer does not answer: somebody waits in front of a blank page. */
const answerWithinSeconds = 5;

/** How long ago a person may have proved who they are to count as freshly signed in. */
export const freshMs = 5 * 60_000;

/** What our side must remember of a sign-in until the browser comes back; it goes with the browser, sealed. */
export interface SigningIn {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The person had to prove anew who they are. */
  readonly fresh: boolean;
  /** The page that they wanted to see. */
  readonly to: string;
}

/** Who the provider says it is. The address and the name are for the vault; nobody is known by them. */
export interface Proven {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string | null;
  readonly email: string | null;
  /** When they proved it, by the provider's clock; null when it does not say. */
  readonly authenticatedAt: number | null;
}

/** The OpenID provider that people sign in with. */
export interface Provider {
  readonly begin: (to: string, fresh: boolean) => Promise<{ readonly url: URL; readonly signingIn: SigningIn }>;
  /** Throws `sign_in_refused` for whatever is not the answer to that very beginning. */
  readonly finish: (query: URLSearchParams, signingIn: SigningIn) => Promise<Proven>;
}

/** Opens the provider; it is asked what it can when the first person comes, and again until it has answered. */
export function openProvider(config: OidcConfig, publicUrl: string): Provider {
  const callback = new URL('/login/callback', publicUrl);
  let found: Promise<openid.Configuration> | null = null;
  const configuration = async (): Promise<openid.Configuration> => {
    found ??= discover(config);
    try {
      return await found;
    } catch {
      // Whatever it was: a provider that cannot be read is one with whom nobody can sign in.
      found = null;
      throw away();
    }
  };
  return {
    begin: async (to, fresh) => {
      const [state, nonce, verifier] = [openid.randomState(), openid.randomNonce(), openid.randomPKCECodeVerifier()];
      const url = openid.buildAuthorizationUrl(await configuration(), {
        redirect_uri: callback.href,
        scope: 'openid profile email',
        ...{ state, nonce, code_challenge_method: 'S256' },
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        ...(fresh && { prompt: 'login', max_age: '0' }),
      });
      return { url, signingIn: { state, nonce, verifier, fresh, to } };
    },
    finish: async (query, signingIn) => {
      const known = await configuration();
      const back = new URL(`?${query.toString()}`, callback);
      try {
        return await provenBy(known, back, signingIn);
      } catch (error) {
        throw problemOf(error);
      }
    },
  };
}

/** The signature of an ID token is checked although it came straight from the provider: a proxy in between is not it. */
async function discover({ issuer, clientId, clientSecret }: OidcConfig): Promise<openid.Configuration> {
  const execute = [
    openid.enableNonRepudiationChecks,
    ...(new URL(issuer).protocol === 'http:' ? [openid.allowInsecureRequests] : []),
  ];
  const options = { execute, timeout: answerWithinSeconds };
  return await openid.discovery(new URL(issuer), clientId, clientSecret, undefined, options);
}

async function provenBy(known: openid.Configuration, back: URL, signingIn: SigningIn): Promise<Proven> {
  const tokens = await openid.authorizationCodeGrant(known, back, {
    expectedState: signingIn.state,
    expectedNonce: signingIn.nonce,
    pkceCodeVerifier: signingIn.verifier,
    idTokenExpected: true,
    // Asked for anew and answered with an old sign-in: then nobody has proved anything now.
    ...(signingIn.fresh && { maxAge: freshMs / 1_000 }),
  });
  const claims = tokens.claims();
  if (claims === undefined) throw refused('it said nothing of who signed in');
  const { iss: issuer, sub: subject, auth_time: seconds } = claims;
  const told = named(claims) ? claims : { ...(await moreOf(known, tokens.access_token, subject)), ...claims };
  const [name, email] = [lineIn(told['name']) ?? lineIn(told['preferred_username']), lineIn(told['email'])];
  return { issuer, subject, name, email, authenticatedAt: seconds === undefined ? null : seconds * 1_000 };
}

function named(claims: Readonly<Record<string, unknown>>): boolean {
  return lineIn(claims['name']) !== null;
}

/** Most providers tell names only there. Without one people are shown by their id, so a failure is none of the sign-in. */
async function moreOf(known: openid.Configuration, accessToken: string, subject: string) {
  if (known.serverMetadata().userinfo_endpoint === undefined) return {};
  return await openid.fetchUserInfo(known, accessToken, subject).catch(() => ({}));
}

/** One line that may be shown: a control character could forge another. */
function lineIn(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const line = value
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '')
    .trim()
    .slice(0, 200);
  return line === '' ? null : line;
}

/** Nothing of the provider's words is passed on: what a stranger may have written does not stand on our page. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof openid.AuthorizationResponseError) return refused('it said that you did not sign in');
  if (error instanceof openid.ResponseBodyError && error.status < 500) return refused('it does not know this sign-in');
  if (error instanceof openid.ClientError) {
    if (isAway(error.code)) return away();
    return refused(wordsFor[error.code ?? ''] ?? 'its answer is not one to this sign-in');
  }
  return away();
}

/** Codes of a provider that does not answer, or answers with something else than its protocol; a broken line has none. */
function isAway(code: string | undefined): boolean {
  return [
    undefined,
    'OAUTH_TIMEOUT',
    'OAUTH_ABORT',
    'OAUTH_RESPONSE_IS_NOT_CONFORM',
    'OAUTH_RESPONSE_IS_NOT_JSON',
  ].includes(code);
}

const wordsFor: Readonly<Record<string, string>> = {
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'its answer is for another sign-in, another application or from another provider',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'its answer is over, or you did not sign in just now',
};

function refused(why: string): Problem {
  return new Problem('sign_in_refused', `expected your provider to say who you are, got: ${why}`);
}

function away(): Problem {
  const message = 'expected the provider that you sign in with to answer, got nothing that can be read';
  return new Problem('provider_unavailable', message, { retryAfterSeconds: 5 });
}
