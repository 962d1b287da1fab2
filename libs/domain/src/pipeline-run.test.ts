import type { Provenance } from './candidate.ts';
import type { PersonState } from './person.ts';
import { beyondRun } from './pipeline-run.ts';
import type { PrototypeState } from './prototype.ts';
import type { WorkloadRule } from './workload.ts';

const commit = 'a'.repeat(40);
const rule: WorkloadRule = {
  ...{
    service: 'psn_run',
    issuer: 'https://ci.example',
    audience: 'proviso',
    repository: 'team/app',
    ref: 'refs/heads/main',
  },
  promotes: true,
};
const own: Provenance = { kind: 'github', uploader: 'psn_run', authors: [], repository: 'team/app', commit };

function beyond(provenance: Provenance, over: { rule?: WorkloadRule; actor?: string; commit?: string } = {}) {
  const actor = { id: over.actor ?? 'psn_run' } as PersonState;
  const token = 'commit' in over ? { commit: over.commit } : { commit };
  return beyondRun(
    {
      actor,
      token: token as NonNullable<Parameters<typeof beyondRun>[0]['token']>,
      prototype: { workloads: [over.rule ?? rule] } as unknown as PrototypeState,
    },
    provenance,
  );
}

describe('a run of a pipeline', () => {
  it('promotes its own commit, frozen from its own repository', () => {
    expect(beyond(own)).toBeNull();
  });

  it.each<[string, Provenance]>([
    ['another commit', { ...own, commit: 'b'.repeat(40) }],
    ['another repository', { ...own, repository: 'team/fork' }],
    ['an archive that says to be it', { ...own, kind: 'upload' }],
    ['a repository of this machine', { ...own, kind: 'git' }],
  ])('does not promote %s', (_what, provenance) => {
    expect(beyond(provenance)).toMatchObject({ code: 'commit_mismatch' });
  });

  it('promotes nothing with a token of no commit, not even what has none', () => {
    const { commit: _none, ...without } = own;
    expect(beyond(own, { commit: undefined as unknown as string })).toMatchObject({ code: 'commit_mismatch' });
    expect(beyond(without, { commit: undefined as unknown as string })).toMatchObject({ code: 'commit_mismatch' });
  });

  it('promotes nothing where its rule does not say so', () => {
    const { promotes: _none, ...humble } = rule;
    expect(beyond(own, { rule: humble })).toMatchObject({ code: 'not_permitted', rule: 'workload/promotes' });
  });

  it('bounds nobody who is no pipeline of this prototype', () => {
    expect(beyond({ ...own, kind: 'upload' }, { actor: 'psn_bea' })).toBeNull();
  });
});
