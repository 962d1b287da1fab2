import { randomUUID } from 'node:crypto';
import { type Command, builtinPrincipals } from '@proviso/domain';
import { buttonsOf } from '@proviso/testkit';
import { type Deployment, atApproval, pick, pickText, policySource } from '../deployment.contract.ts';
import { type SlackGround, asking, liveButtons, messagesAbout, openSlackGround, until } from './slack.contract.ts';

let ground: SlackGround;
let here: Deployment;

beforeAll(async () => {
  ground = await openSlackGround();
  here = ground.here;
});

afterAll(async () => {
  await ground.close();
});

/** Asks the journal as a process of ours does. */
async function say(command: Command, actor: 'worker' | 'keeper' = 'worker') {
  const receipt = await here.parts.journal.submit({
    ...{ workspace: here.workspace, actor: builtinPrincipals[actor].id, command, authn: 'service/worker' },
    idempotencyKey: randomUUID(),
  });
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
  return receipt.answer;
}

it('people who do not answer are reminded twice, a group is told, and the asking ends with the time', async () => {
  const source = policySource
    .replace('policy: careful', 'policy: impatient')
    .replace('    requirements:', '    expires: 24s\n    escalate: group/board\n    requirements:');
  const policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
  const { promotion } = await atApproval(here, 'impatient', { policy });
  await until(() => asking(ground.slack, promotion));
  const told = () => messagesAbout(ground.slack, promotion).map(({ text }) => text);
  const tick = async (): Promise<void> => void (await say({ kind: 'Tick', promotion }, 'keeper'));
  await until(async () => {
    await tick();
    return told().some((text) => text.includes('nobody answered in time: not approved.'));
  }, 60_000);
  expect(told().filter((text) => text.startsWith('Reminder: “impatient” v1.'))).toHaveLength(2);
  expect(told().filter((text) => text.startsWith('Escalated to Board: “impatient” v1.'))).toHaveLength(1);
  expect(messagesAbout(ground.slack, promotion).flatMap(liveButtons)).toEqual([]);
  // The last word comes at 19/20 of the time, and is moot a moment later; a busy machine needs that moment to be long.
}, 120_000);

it('users are taken off a version by a press of who may, with a reason', async () => {
  const { promotion, decisions, digests } = await atApproval(here, 'taken-back');
  for (const actor of ['sam', 'kim'] as const) await here.post(actor, decisions, { verdict: 'approve', ...digests });
  const claim = await say({ kind: 'Claim', promotion, step: 'canary', claimant: 'test' });
  if (claim.kind !== 'granted') throw new Error(`expected a grant, got ${claim.kind}`);
  const { fence, laneFence } = claim;
  const verdict = { kind: 'advance', percent: 10 } as const;
  await say({ kind: 'Look', promotion, fence, laneFence: laneFence ?? 0, fresh: true, verdict });
  const parent = await until(() =>
    messagesAbout(ground.slack, promotion).find(({ blocks }) =>
      buttonsOf(blocks).some(({ action_id }) => action_id === 'roll_back'),
    ),
  );
  const rollBack = async (actor: 'sam' | 'olga') => {
    const member = ground.member(actor);
    const opening = member.press(parent, 'roll_back');
    await opening.send();
    const { body } = await member.submit(opening.form(), { reason: 'users complain' }).send();
    return pickText(body, 'view', 'blocks', 0, 'text', 'text');
  };
  expect(await rollBack('sam')).toMatch(/^You may not do this.*\(not_permitted\)$/);
  expect(await rollBack('olga')).toBe('Recorded.');
  const shown = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
  expect(pick(shown.body, 'canary', 'weight')).toBe(0);
  await until(() => messagesAbout(ground.slack, promotion).flatMap(liveButtons).length === 0);
});
