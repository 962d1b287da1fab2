import { type SecretFinding, positionAt } from './secret-finding.ts';

/**
 * A token from its start: header, payload, and perhaps a signature. `e` and `y` or `w` begin every base64url text of
 * JSON. Anchored at the token's first letter, so that the search is linear in hostile text.
 */
const tokenPattern = /(?<![\w-])e[yw][\w-]{8,2000}\.(?<payload>[\w-]{8,8000})(?:\.[\w-]{0,2000})?/g;

/** The newer form of the same key. */
const secretKeyPattern = /(?<![\w-])sb_secret_[\w-]{20,200}/g;

/**
 * Keys that switch off the database's access rules: whoever has one reads and writes every row. secretlint does not
 * know them, and generated front ends ship them often.
 */
export function findServiceRoleKeys(file: { readonly path: string; readonly text: string }): readonly SecretFinding[] {
  const tokens = [...file.text.matchAll(tokenPattern)].filter((match) => isServiceRole(match.groups?.payload ?? ''));
  const keys = [...file.text.matchAll(secretKeyPattern)];
  return [...tokens, ...keys].map((match) => ({
    rule: 'service-role-key',
    path: file.path,
    ...positionAt(file.text, match.index),
  }));
}

function isServiceRole(payload: string): boolean {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && 'role' in claims && claims.role === 'service_role';
  } catch (error) {
    // Text that only looks like a token is no finding.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
