import type { WorkspaceId } from './id.ts';
import { type Refusal, refusal } from './refusal.ts';

/** A tenant. Its name is not personal data: it is chosen for a team. */
export interface WorkspaceState {
  readonly id: WorkspaceId;
  readonly name: string;
}

/** What may happen to a workspace. */
export type WorkspaceEvent = {
  readonly kind: 'workspace_opened';
  readonly v: 1;
  readonly workspace: WorkspaceId;
  readonly name: string;
};

/** What may be asked about a workspace. */
export type WorkspaceCommand = {
  readonly kind: 'OpenWorkspace';
  readonly workspace: WorkspaceId;
  readonly name: string;
};

/** Folds one event into a workspace. */
export function evolveWorkspace(_state: WorkspaceState | null, event: WorkspaceEvent): WorkspaceState {
  return { id: event.workspace, name: event.name };
}

/** Decides the opening of a workspace. */
export function decideWorkspace(
  state: WorkspaceState | null,
  command: WorkspaceCommand,
): readonly WorkspaceEvent[] | Refusal {
  if (state !== null) return refusal('exists', 'this workspace exists already');
  return [{ kind: 'workspace_opened', v: 1, workspace: command.workspace, name: command.name }];
}
