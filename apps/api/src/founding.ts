import { builtinPrincipals, idFrom, roles } from '@proviso/domain';
import type { PersonId, Role, WorkspaceId } from '@proviso/domain';
import type { FolderStore } from '@proviso/evidence';
import type { Journal, Receipt, Submission } from '@proviso/journal';
import { z } from 'zod';
import { hashOfToken } from './hash-of-token.ts';
import { publicationOf } from './publishing.ts';
import { uuidOfSeed } from './submission.ts';

const binding = z.strictObject({
  role: z.enum(roles),
  group: z.string().optional(),
  prototype: z.templateLiteral(['pro_', z.string()]).optional(),
  environment: z.string().optional(),
});

/** What a deployment starts with. Ids that are not given come from the workspace's, so a second run names the same things. */
export const foundingForm = z.strictObject({
  workspace: z.strictObject({
    id: z.templateLiteral(['wsp_', z.string().regex(/^[0-9a-f]{32}$/)]).optional(),
    name: z.string().min(1).max(200),
  }),
  people: z
    .array(
      z.strictObject({
        key: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
        id: z.templateLiteral(['psn_', z.string().regex(/^[0-9a-f]{32}$/)]).optional(),
        name: z.string().min(1).max(200),
        principal: z.enum(['human', 'service', 'agent']),
        bindings: z.array(binding).max(50),
        /** `true`: one while the person has none; `renew`: one more each time, for a deployment that lost them. */
        token: z.union([z.boolean(), z.literal('renew')]).default(false),
      }),
    )
    .max(100),
  policies: z
    .array(z.strictObject({ source: z.string().max(262_144) }))
    .max(100)
    .default([]),
});

/** What was asked for. */
export type FoundingForm = z.infer<typeof foundingForm>;

/** What came of it: tokens are told here and nowhere else. */
export interface Founded {
  readonly workspace: WorkspaceId;
  readonly people: Readonly<Record<string, { readonly id: PersonId; readonly token?: string }>>;
  readonly policies: Readonly<Record<string, { readonly id: string; readonly digest: string }>>;
}

/** What founding works with; randomness is handed in. */
export interface FoundingPorts {
  readonly journal: Journal;
  readonly store: FolderStore;
  readonly now: number;
  readonly randomBytes: (count: number) => Buffer;
}

/** A first deployment should not stop working over a long holiday; whoever wants less issues tokens of their own. */
const tokenValidMs = 366 * 86_400_000;

/**
 * Opens the workspace, adds the people, publishes the policies: each through `submit`, each under a key made of ids, so
 * a run that died halfway is simply run again.
 */
export async function found(ports: FoundingPorts, form: FoundingForm): Promise<Founded> {
  const workspace: WorkspaceId = form.workspace.id ?? idFrom('wsp', uuidOfSeed(ports.randomBytes(32).toString('hex')));
  await asFounder(ports, workspace, { kind: 'OpenWorkspace', workspace, name: form.workspace.name }, 'workspace');
  const people: Record<string, { id: PersonId; token?: string }> = {};
  for (const person of form.people) people[person.key] = await add(ports, workspace, person);
  const policies: Record<string, { id: string; digest: string }> = {};
  for (const { source } of form.policies) {
    const author = people[form.people.find(isPolicyOwner)?.key ?? '']?.id;
    if (author === undefined)
      throw new Error('expected a person with the role policy-owner to publish the policies, got none');
    const { command, bytes } = publicationOf(source, { workspace, author });
    await ports.store.put(bytes, { mediaType: 'text/yaml' });
    const key = `founding/${command.policyId}/${command.digest}`;
    expectDone(
      await ports.journal.submit({ workspace, actor: author, command, idempotencyKey: key, authn: 'local/cli' }),
    );
    policies[command.policy.name] = { id: command.policyId, digest: command.digest };
  }
  return { workspace, people, policies };
}

type PersonForm = FoundingForm['people'][number];

function isPolicyOwner(person: PersonForm): boolean {
  return person.bindings.some((one) => one.role === 'policy-owner');
}

async function add(
  ports: FoundingPorts,
  workspace: WorkspaceId,
  form: PersonForm,
): Promise<{ id: PersonId; token?: string }> {
  const id: PersonId = form.id ?? idFrom('psn', uuidOfSeed(`${workspace} person ${form.key}`));
  const bindings = form.bindings.map(({ role, group, prototype, environment }) => ({
    role: role satisfies Role,
    ...(group === undefined ? {} : { group }),
    ...(prototype === undefined ? {} : { prototype }),
    ...(environment === undefined ? {} : { environment }),
  }));
  const command = { kind: 'AddPerson', person: id, principal: form.principal, bindings } as const;
  await asFounder(ports, workspace, command, `person/${id}`, { personal: { name: form.name } });
  const known = await ports.journal.reads(workspace).person(id);
  const hasToken = (known?.tokens.length ?? 0) > 0;
  if (form.token === false || (form.token === true && hasToken)) return { id };
  const token = `prv_${ports.randomBytes(32).toString('base64url')}`;
  const record = {
    id: idFrom('tok', uuidOfSeed(token)),
    hash: hashOfToken(token),
    expiresAt: ports.now + tokenValidMs,
  };
  await asFounder(ports, workspace, { kind: 'IssueToken', person: id, token: record }, `token/${record.id}`);
  return { id, token };
}

/** True when it happened now; false when it had happened before. */
async function asFounder(
  { journal }: FoundingPorts,
  workspace: WorkspaceId,
  command: Submission['command'],
  key: string,
  along: Pick<Submission, 'personal'> = {},
): Promise<boolean> {
  const receipt = await journal.submit({
    workspace,
    actor: builtinPrincipals.founder.id,
    command,
    // A key per run: whether it exists is for the journal's own fold to say, also when the form was edited since.
    idempotencyKey: `founding/${key}/${uuidOfSeed(JSON.stringify(command))}`,
    authn: 'local/cli',
    ...along,
  });
  return expectDone(receipt);
}

function expectDone(receipt: Receipt): boolean {
  if (receipt.kind === 'accepted') return !receipt.replayed && receipt.entries.length > 0;
  if (receipt.refusal.code === 'exists') return false;
  throw new Error(`expected to be allowed, got ${receipt.refusal.code}: ${receipt.refusal.message}`);
}
