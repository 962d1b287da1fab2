import { randomUUID } from 'node:crypto';
import { type PersonId, type WorkspaceId, builtinPrincipals, idFrom } from '@proviso/domain';
import type { OidcConfig } from './config.ts';
import { identityOf } from './identity.ts';
import type { Parts } from './parts.ts';
import { Problem, problemOfRefusal } from './problem.ts';
import type { Proven } from './provider.ts';

/**
 * The person whom a provider has proven. Whoever is unknown becomes a person without any role, who waits for one; the
 * operator's first administrators become administrators. Of two first sign-ins at once the journal lets one be the
 * first, and the other is who that one was.
 */
export async function welcome(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  { workspace, administrators }: OidcConfig,
  proven: Proven,
): Promise<{ readonly workspace: WorkspaceId; readonly person: PersonId }> {
  const identity = identityOf(proven, config);
  const known = await journal.principalOfIdentity(identity);
  if (known !== null) return await active(journal, known);
  const person = idFrom('psn', randomUUID());
  const bindings = administrators.includes(proven.subject) ? [{ role: 'administrator' as const }] : [];
  const receipt = await journal.submit({
    workspace,
    actor: builtinPrincipals.porter.id,
    command: { kind: 'AddPerson', person, principal: 'human', bindings, identity },
    idempotencyKey: `sign-in/${randomUUID()}`,
    authn: 'oidc/page',
    personal: { name: proven.name ?? 'Unnamed', ...(proven.email !== null && { email: proven.email }) },
  });
  if (receipt.kind === 'accepted') return { workspace, person };
  const meanwhile = await journal.principalOfIdentity(identity);
  if (meanwhile === null) throw problemOfRefusal(receipt.refusal);
  return await active(journal, meanwhile);
}

/** Whoever was shut out is told so here, where only they can have come: their provider has just said who they are. */
async function active(
  journal: Parts['journal'],
  known: { readonly workspace: WorkspaceId; readonly person: PersonId },
): Promise<typeof known> {
  const person = await journal.reads(known.workspace).person(known.person);
  if (person === null || person.disabled)
    throw new Problem('person_disabled', 'expected an active person, got one who was shut out by an administrator');
  return known;
}
