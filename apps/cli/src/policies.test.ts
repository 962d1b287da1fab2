import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leavesOf } from '@proviso/domain';
import { readPolicyFile } from '@proviso/gates';
import { currentConfig } from './config.ts';
import { localPeople } from './local-people.ts';

const folder = join(currentConfig().projectRoot, 'policies');

function policy(name: string) {
  const read = readPolicyFile(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
  if (!read.ok) throw new Error(`expected a policy, got ${JSON.stringify(read.problems)}`);
  return read.value;
}

test.each(['standard', 'demo'])('the policy %s is valid and has all seven gates in order', (name) => {
  const { gates, environment } = policy(name);
  expect(environment).toBe('production');
  expect(gates.map(({ gate }) => gate)).toEqual([
    ...['readiness', 'build', 'scan', 'evaluation', 'staging', 'approval', 'canary'],
  ]);
});

test('the policy for sites has every gate but the evaluation, which same answers for all would not inform', () => {
  expect(policy('site').gates.map(({ gate }) => gate)).toEqual([
    ...['readiness', 'build', 'scan', 'staging', 'approval', 'canary'],
  ]);
  expect(policy('site').gates.slice(4)).toEqual(policy('standard').gates.slice(5));
});

test('the standard policy looks every ten seconds and wants one of security and one of product', () => {
  const { gates } = policy('standard');
  expect(gates.find(({ gate }) => gate === 'canary')).toMatchObject({
    ...{ lookMs: 10_000, dwellMs: 30_000, weights: [5, 10, 20, 50] },
  });
  expect(gates.find(({ gate }) => gate === 'approval')).toMatchObject({
    expiresMs: 7 * 86_400_000,
    requirements: [
      { from: 'group/security', count: 1 },
      { from: 'group/product', count: 1 },
    ],
  });
});

test('the demo is quick: looks at most a second apart, three seconds at each share', () => {
  const canary = policy('demo').gates.find((rule) => rule.gate === 'canary');
  expect(canary?.lookMs).toBeLessThanOrEqual(1_000);
  expect(canary?.dwellMs).toBeLessThanOrEqual(3_000);
});

test('the local people can meet every requirement without the builder and without who wrote the policy', () => {
  const [builder, ...others] = localPeople;
  expect(builder?.bindings.some(({ role }) => role === 'builder')).toBe(true);
  const voters = others.filter(({ bindings }) => bindings.every(({ role }) => role !== 'policy-owner'));
  const met = (from: string) =>
    voters.some(({ bindings }) =>
      bindings.some(({ role, group }) => from === `role/${role}` || from === `group/${group}`),
    );
  for (const name of ['standard', 'demo', 'site']) {
    const approval = policy(name).gates.find((rule) => rule.gate === 'approval');
    for (const { from } of leavesOf(approval?.requirements ?? [])) expect([from, met(from)]).toEqual([from, true]);
  }
});
