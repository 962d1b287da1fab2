import { createClient } from './generated/client/client.gen.ts';
import type { Client } from './generated/client/types.gen.ts';
import { createConfig } from './generated/client/utils.gen.ts';

/** Where the API is and who asks. */
export interface ConnectionOptions {
  readonly baseUrl: string;
  readonly token: string;
}

/** A client of its own for one server and one token; every call takes it as `client`. */
export function connect({ baseUrl, token }: ConnectionOptions): Client {
  return createClient(createConfig({ baseUrl, auth: () => token }));
}
