import { exchangeWorkload } from '@proviso/client';
import { type Api, openApi } from './api.ts';
import type { PipelineConfig } from './config.ts';
import { exitCodes } from './exit-code.ts';
import { Trouble } from './trouble.ts';

/** A CI system on the same network answers at once; a run should not hang on it. */
const ANSWER_WITHIN_MS = 15_000;

/** Which run this is, and for what it wants to act. */
export interface RunOrder {
  readonly url: string;
  readonly workspace: string;
  readonly prototype: string;
  /** For whom the CI system issues its token, as the operator has said who trusts this pipeline. */
  readonly audience: string;
  readonly pipeline: PipelineConfig;
  readonly signal: AbortSignal;
}

/** The API in the name of a run of a pipeline: its CI system's token for one of ours, which is kept nowhere. */
export async function apiOfRun(order: RunOrder): Promise<Api> {
  const { url, workspace, prototype, signal } = order;
  const token = await idTokenOf(order);
  const nobody = openApi({ url, token: '' }, signal);
  const body = { workspace, prototype, token };
  const given = await nobody.write((options) => exchangeWorkload({ ...options, body }));
  return openApi({ url, token: given.token }, signal);
}

/** GitLab puts the token into a variable of the job; GitHub gives it to whoever asks with what only the run has. */
async function idTokenOf({ audience, pipeline, signal }: RunOrder): Promise<string> {
  const { idToken, requestUrl, requestToken } = pipeline;
  if (idToken !== undefined) return idToken;
  if (requestUrl === undefined || requestToken === undefined || !URL.canParse(requestUrl)) throw noRun();
  const address = new URL(requestUrl);
  address.searchParams.set('audience', audience);
  const answer = await fetch(address, {
    headers: { authorization: `bearer ${requestToken}`, accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  }).catch((error: unknown) => {
    throw new Trouble('expected the CI system to give a token of this run, got no answer', { cause: error });
  });
  const told: unknown = await answer.json().catch(() => null);
  const value = typeof told === 'object' && told !== null && 'value' in told ? told.value : null;
  if (answer.ok && typeof value === 'string') return value;
  throw new Trouble(`expected the CI system to give a token of this run, got status ${answer.status}`, {
    advice: 'Does the job have `permissions: id-token: write`?',
  });
}

function noRun(): Trouble {
  return new Trouble('expected to be in a run of a pipeline, got neither PROVISO_ID_TOKEN nor a token to ask for', {
    advice:
      'GitHub: give the job `permissions: id-token: write`. GitLab: `id_tokens: { PROVISO_ID_TOKEN: { aud: … } }`.',
    exitCode: exitCodes.unauthenticated,
  });
}
