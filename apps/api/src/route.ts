import type { Command } from '@proviso/domain';
import type { z } from 'zod';

/**
 * Who may come in. `command`: any known principal, and the journal decides; `read`: a right to read the workspace;
 * `edge`: a right to run an edge; `agent`: an agent that acts for a human and may read; `self`: any known principal, about themselves; `public`: anyone; `page`: a person who
 * is signed in in this browser, and nobody by a token. Where `session` is not said, a browser's cookie is nothing. With
 * `voters` also who has no right to read, about what they are to vote on in another's stead.
 */
export type Access =
  | { readonly kind: 'public'; readonly page?: true }
  | {
      readonly kind: 'page';
      readonly needs: 'self' | 'read';
      readonly voters?: true;
      readonly commands?: readonly Command['kind'][];
    }
  | { readonly kind: 'self'; readonly session?: true }
  | { readonly kind: 'read'; readonly session?: true; readonly voters?: true }
  | { readonly kind: 'edge' }
  | { readonly kind: 'agent' }
  | { readonly kind: 'command'; readonly commands: readonly Command['kind'][] };

/** Whose signatures over bytes we know. */
export type Signer = 'slack' | 'github';

/** What a route takes beside its path. */
export interface Takes {
  readonly query?: z.ZodType;
  readonly json?: z.ZodType;
  /** What a page's form sends. */
  readonly form?: z.ZodType;
  readonly yaml?: true;
  /** An archive in the field `archive` and the field `version`. */
  readonly archive?: true;
  /** A body whose sender has signed its very bytes; nothing reads it before that is checked. */
  readonly signedBy?: Signer;
  /** `If-Match` with the tag of the prototype or policy that is changed. Everywhere else the header is refused. */
  readonly condition?: true;
}

/** One row of the table: a route that has none does not start. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** As the server matches it, with `:name` for a parameter. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly access: Access;
  readonly takes: Takes;
  /** By status, a schema of JSON, or the content types of what is none, separated by commas. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
}

/** Pages are for people: also what goes wrong there is told as a page. */
export function isPage({ access }: Route): boolean {
  return access.kind === 'page' || (access.kind === 'public' && access.page === true);
}

/** True where also who reads nothing else is let in, about what they are to vote on in another's stead. */
export function isForVoters(access: Access): boolean {
  return 'voters' in access;
}

/** The key by which a matched request finds its row. */
export function routeKey(method: string, path: string): string {
  return `${method} ${path}`;
}
