import fc from 'fast-check';
import type { CandidateManifest } from './candidate.ts';
import { type Policy, policyProblem } from './policy.ts';
import { resolvePolicy } from './policy-tier.ts';
import { buildPolicy, smallPolicy } from './world.contract.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const manifest = (parts: CandidateManifest['parts']): CandidateManifest => ({ v: 1, artifact: digest('a'), parts });
const live = manifest({ code: digest('1'), prompt: digest('2'), model: digest('3') });
const policy: Policy = {
  ...buildPolicy,
  tiers: {
    internal: { gates: ['build', 'scan', 'approval', 'canary'] },
    personal: { requirements: [{ from: 'group/security', count: 2 }] },
  },
  changes: { prompt: ['build', 'staging', 'approval', 'canary'], model: ['build', 'scan', 'approval', 'canary'] },
};

function gatesOf(subject: Partial<Parameters<typeof resolvePolicy>[1]>, of = policy): readonly string[] | string {
  const found = resolvePolicy(of, { tier: null, live, candidate: live, ...subject });
  return 'code' in found ? found.code : found.policy.gates.map(({ gate }) => gate);
}

const all = ['build', 'scan', 'staging', 'approval', 'canary'];
const prompt = manifest({ ...live.parts, prompt: digest('9') });

describe('resolvePolicy', () => {
  it.each<[string, Parameters<typeof gatesOf>[0], readonly string[] | string]>([
    ['asks for every gate of a prototype without a tier', {}, all],
    ['leaves out what the tier leaves out', { tier: 'internal' }, ['build', 'scan', 'approval', 'canary']],
    ['blocks a tier that the policy does not know', { tier: 'public' }, 'policy_unknown'],
    ['asks for what a changed prompt needs', { candidate: prompt }, ['build', 'staging', 'approval', 'canary']],
    [
      'asks for what each of two changes needs',
      { candidate: manifest({ ...prompt.parts, model: digest('8') }) },
      ['build', 'scan', 'staging', 'approval', 'canary'],
    ],
    [
      'asks for every gate when the code changed too',
      { candidate: manifest({ ...prompt.parts, code: digest('7') }) },
      all,
    ],
    ['asks for every gate of the first version', { live: null, candidate: prompt }, all],
    ['asks for every gate of the very same version', { candidate: live }, all],
    ['asks for every gate when a part is unknown', { candidate: manifest({ prompt: digest('2') }) }, all],
    [
      'asks a tier only for its own gates, whatever changed',
      { tier: 'internal', candidate: prompt },
      ['build', 'approval', 'canary'],
    ],
  ])('%s', (_what, subject, gates) => {
    expect(gatesOf(subject)).toEqual(gates);
  });

  it('pins who must approve in the tier, and nothing that is left to choose', () => {
    const found = resolvePolicy(policy, { tier: 'personal', live: null, candidate: live });
    expect(found).toMatchObject({ tier: 'personal', changed: null });
    expect('policy' in found && [found.policy.tiers, found.policy.changes]).toEqual([undefined, undefined]);
    expect(JSON.stringify(found)).toContain('"requirements":[{"from":"group/security","count":2}]');
  });

  it('never asks for no gate, and always for people where the policy has them', () => {
    const names = fc.subarray(['build', 'scan', 'staging', 'approval', 'canary'] as const, { minLength: 1 });
    const policies = fc.record({
      base: fc.constantFrom(smallPolicy, buildPolicy),
      tier: fc.option(names, { nil: undefined }),
      prompt: fc.option(names, { nil: undefined }),
    });
    // Fewer where the same is run for every mutant.
    const { numRuns = 5_000 } = fc.readConfigureGlobal();
    let valid = 0;
    fc.assert(
      fc.property(policies, ({ base, tier, prompt: again }) => {
        const one: Policy = {
          ...base,
          ...(tier && { tiers: { some: { gates: tier } } }),
          ...(again && { changes: { prompt: again } }),
        };
        if (policyProblem(one) !== null) return;
        valid += 1;
        const found = resolvePolicy(one, { tier: tier ? 'some' : null, live, candidate: prompt });
        const gates = 'policy' in found ? found.policy.gates.map(({ gate }) => gate) : [];
        expect(gates).toEqual(expect.arrayContaining(['approval', 'canary']));
        expect('policy' in found && policyProblem(found.policy)).toBeNull();
      }),
      { numRuns },
    );
    expect(valid).toBeGreaterThan(numRuns / 25);
  });
});
