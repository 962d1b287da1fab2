import type { Provenance } from './candidate.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Scene } from './scene.ts';

/**
 * The no to a run of a pipeline that would promote anything but its own commit, frozen from its own repository, or whose
 * rule lets it bring evidence and no more. Null for everybody else, who promotes by their roles alone.
 */
export function beyondRun(
  { actor, token, prototype }: Pick<Scene, 'actor' | 'token' | 'prototype'>,
  { kind, repository, commit }: Provenance,
): Refusal | null {
  const rule = prototype?.workloads?.find(({ service }) => service === actor.id);
  if (rule === undefined) return null;
  if (rule.promotes !== true)
    return refusal('not_permitted', 'expected a pipeline that is trusted to promote, got one that brings evidence', {
      rule: 'workload/promotes',
      whoCan: ['role/builder'],
    });
  const isOwn = kind === 'github' && repository === rule.repository && commit !== undefined && commit === token?.commit;
  return isOwn ? null : refusal('commit_mismatch', 'expected the very commit of this run, from its own repository');
}
