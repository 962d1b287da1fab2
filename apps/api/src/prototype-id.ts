import { type PrototypeId, type WorkspaceId, idFrom } from '@proviso/domain';
import { uuidOfSeed } from './submission.ts';

/** What the ids of a prototype and of its lanes are drawn from. */
export function prototypeSeed(workspace: WorkspaceId, name: string): string {
  return `${workspace} prototype ${name}`;
}

/**
 * Out of the name, so that two people who register it in the same instant meet at one stream and one is told; and so that
 * whoever knows the name finds it.
 */
export function prototypeIdOf(workspace: WorkspaceId, name: string): PrototypeId {
  return idFrom('pro', uuidOfSeed(prototypeSeed(workspace, name)));
}
