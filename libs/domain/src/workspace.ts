import type { PersonId, WorkspaceId } from './id.ts';
import { type Limits, limitsProblem } from './limits.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type WebhookCommand, type WebhookEvent, type WebhookState, decideWebhook, evolveWebhooks } from './webhook.ts';

/** A tenant. Its name is not personal data: it is chosen for a team. */
export interface WorkspaceState {
  readonly id: WorkspaceId;
  readonly name: string;
  /** What an operator has set; the defaults hold for the rest. */
  readonly limits?: Partial<Limits>;
  /** Who outside is told of events; absent: nobody. */
  readonly webhooks?: readonly WebhookState[];
}

/** What may happen to a workspace. */
export type WorkspaceEvent =
  | {
      readonly kind: 'workspace_opened';
      readonly v: 1;
      readonly workspace: WorkspaceId;
      readonly name: string;
    }
  | { readonly kind: 'limits_set'; readonly v: 1; readonly limits: Partial<Limits>; readonly by: PersonId }
  /** The sum of one sweep; each version has an entry of its own in its prototype. */
  | { readonly kind: 'artifacts_swept'; readonly v: 1; readonly artifacts: number; readonly bytes: number }
  | WebhookEvent;

/** What may be asked about a workspace. `limits` names the whole of what is set: what is left out falls to its default. */
export type WorkspaceCommand =
  | { readonly kind: 'OpenWorkspace'; readonly workspace: WorkspaceId; readonly name: string }
  | { readonly kind: 'SetLimits'; readonly workspace: WorkspaceId; readonly limits: Partial<Limits> }
  | {
      readonly kind: 'RecordSweep';
      readonly workspace: WorkspaceId;
      readonly artifacts: number;
      readonly bytes: number;
    }
  | WebhookCommand;

/** Folds one event into a workspace. */
export function evolveWorkspace(state: WorkspaceState | null, event: WorkspaceEvent): WorkspaceState {
  if (event.kind === 'workspace_opened') return { id: event.workspace, name: event.name };
  if (state === null) throw new Error(`invariant broken: ${event.kind} on a workspace that was never opened`);
  switch (event.kind) {
    case 'limits_set':
      return { ...state, limits: event.limits };
    case 'artifacts_swept':
      return state;
    default:
      return { ...state, webhooks: evolveWebhooks(state.webhooks ?? [], event) };
  }
}

/** Decides a command about a workspace. */
export function decideWorkspace(
  state: WorkspaceState | null,
  command: WorkspaceCommand,
  { actor, now }: { readonly actor: { readonly id: PersonId }; readonly now: number },
): readonly WorkspaceEvent[] | Refusal {
  if (command.kind === 'OpenWorkspace') {
    if (state !== null) return refusal('exists', 'this workspace exists already');
    return [{ kind: 'workspace_opened', v: 1, workspace: command.workspace, name: command.name }];
  }
  if (state === null) return refusal('not_found', 'expected a known workspace');
  switch (command.kind) {
    case 'SetLimits': {
      const problem = limitsProblem(command.limits);
      if (problem !== null) return refusal('limits_invalid', problem);
      return sameLimits(state.limits ?? {}, command.limits)
        ? []
        : [{ kind: 'limits_set', v: 1, limits: command.limits, by: actor.id }];
    }
    case 'RecordSweep':
      return [{ kind: 'artifacts_swept', v: 1, artifacts: command.artifacts, bytes: command.bytes }];
    default:
      return decideWebhook(state.webhooks ?? [], command, { now, by: actor.id });
  }
}

function sameLimits(a: Partial<Limits>, b: Partial<Limits>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Limits>;
  return [...names].every((name) => a[name] === b[name]);
}
