import type { LaneConfiguration, LaneOrder } from './protocol.ts';
import { environmentOf } from './release-environment.ts';
import { newLane, newOrder } from './release-fixture.ts';

const values = {
  SECRET_ONE: 'Amethyst-2291-Heron',
  SECRET_SAME: 'Amethyst-2291-Heron',
  SECRET_TWO: 'Beryl-7716-Egret',
};
const places = { environment: values, prefix: 'SECRET_', folder: null };

const bound = (name: string, at: number) => ({ reference: { from: 'environment', name } as const, at });

function laneWith(lane: string, secrets: LaneConfiguration['secrets'], variables = {}): LaneOrder {
  const order = newLane(newOrder(`sha256:${'a'.repeat(64)}`));
  return { ...order, lane, hosts: [`${lane}.localhost`], configuration: { revision: 1, variables, secrets } };
}

function ask(own: LaneOrder, others: readonly LaneOrder[], wanted: readonly { name: string; required: boolean }[]) {
  const { contract } = newOrder(`sha256:${'a'.repeat(64)}`, { secrets: wanted });
  const configuration = own.configuration ?? { revision: 0, variables: {}, secrets: {} };
  return environmentOf({ lane: own.lane, configuration, contract }, { places, lanes: [own, ...others] });
}

test('a process gets the variables of its lane and those secrets that its contract names', async () => {
  const lane = laneWith('a', { KEY: bound('SECRET_ONE', 1), OTHER: bound('SECRET_TWO', 1) }, { LOG: 'debug' });
  expect(await ask(lane, [], [{ name: 'KEY', required: true }])).toEqual({
    variables: { LOG: 'debug', KEY: values.SECRET_ONE },
    withheld: [values.SECRET_ONE],
  });
});

test('a plain variable never stands in for a secret', async () => {
  const lane = laneWith('a', {}, { KEY: 'typed in plain' });
  expect((await ask(lane, [], [{ name: 'KEY', required: false }])).variables).toEqual({});
  await expect(ask(lane, [], [{ name: 'KEY', required: true }])).rejects.toMatchObject({ code: 'secret_missing' });
});

test('the same secret in two lanes is refused to the lane that got it later, naming both and no value', async () => {
  const before = laneWith('production', { KEY: bound('SECRET_ONE', 1) });
  const after = laneWith('staging', { MAIL: bound('SECRET_SAME', 2) });
  const wanted = (name: string) => [{ name, required: true }];
  const error: unknown = await ask(after, [before], wanted('MAIL')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'secret_shared',
    message: 'expected a value of its own for MAIL of staging.localhost, got that of KEY of production.localhost',
  });
  expect((await ask(before, [after], wanted('KEY'))).withheld).toEqual([values.SECRET_ONE]);
});

test('one lane may use one value under two names', async () => {
  const lane = laneWith('a', { KEY: bound('SECRET_ONE', 1), MAIL: bound('SECRET_SAME', 2) });
  const wanted = ['KEY', 'MAIL'].map((name) => ({ name, required: true }));
  expect((await ask(lane, [], wanted)).withheld).toHaveLength(2);
});
