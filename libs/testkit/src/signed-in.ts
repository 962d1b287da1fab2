/** A browser in which somebody has signed in with their token, or has tried to. */
export interface SignedIn {
  /** 303, or what the sign-in was answered with. */
  readonly status: number;
  readonly look: (path: string) => Promise<string>;
  readonly send: (path: string, fields: Readonly<Record<string, string>>) => Promise<Response>;
}

/** Signs in at the pages of a deployment. */
export async function signIn({
  apiUrl,
  token,
}: {
  readonly apiUrl: string;
  readonly token: string;
}): Promise<SignedIn> {
  const send = async (path: string, fields: Readonly<Record<string, string>>, cookie = ''): Promise<Response> =>
    await fetch(`${apiUrl}${path}`, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
      headers: { origin: apiUrl, ...(cookie === '' ? {} : { cookie }) },
    });
  const signedIn = await send('/login', { token });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    status: signedIn.status,
    look: async (path) => await (await fetch(`${apiUrl}${path}`, { headers: { cookie } })).text(),
    send: async (path, fields) => await send(path, fields, cookie),
  };
}
