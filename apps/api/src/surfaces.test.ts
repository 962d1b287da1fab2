import { readFile, readdir } from 'node:fs/promises';
import { offeredKinds } from '@proviso/authority';
import { type Role, scopes } from '@proviso/domain';
import { type Deployment, grantToken, pickText } from './deployment.contract.ts';
import { doorActions } from './door-actions.ts';
import { type Ground, addressOf, bodyFor, openGround } from './doors.contract.ts';
import { addAgent } from './mcp/agent.contract.ts';
import { type Access, routeKey } from './route.ts';
import { routes } from './routes.ts';

// What each surface may do. Where a gate closes a channel or asks for a fresh login is in `decisions.test.ts`, and for Slack
// and GitHub beside their code; that no service votes, in `scopes.test.ts`.

let ground: Ground;
let here: Deployment;

beforeAll(async () => {
  ground = await openGround();
  here = ground.here;
});

afterAll(async () => {
  await here.close();
});

const vote = ['decide', 'deferGate', 'approveWaiver'];
const breakGlass = ['askBreakGlass', 'approveBreakGlass', 'reviewBreakGlass'];
const letOn = ['advancePromotion', 'unpausePromotion', 'resumeLane'];
const changePolicy = ['publishPolicy', 'agreeToPolicy', 'assignTier'];

describe('a surface', () => {
  it.each([
    ['mcp', [...vote, ...breakGlass, ...letOn, ...changePolicy]],
    ['slack', [...breakGlass, ...changePolicy]],
    ['github', [...breakGlass, ...letOn, ...changePolicy]],
  ] as const)('%s has nothing of what is never done there', (door, never) => {
    const known = new Set(routes.map(({ name }) => name));
    expect(never.filter((name) => !known.has(name))).toEqual([]);
    const done: readonly string[] = doorActions[door];
    expect(never.filter((name) => done.includes(name))).toEqual([]);
  });

  // Beside the code of a door that which several share, file by file: what is imported there does nothing by itself.
  it.each([
    ['slack', ['typed-start.ts'], ['LinkIdentity', 'UnlinkIdentity']],
    ['github', ['typed-start.ts', 'freezing.ts'], []],
  ] as const)('%s gives no command in its code that is not behind its list', async (door, shared, ownAffairs) => {
    const listed = routes.filter(({ name }) => doorActions[door].some((one) => one === name));
    const behind = listed.flatMap(({ access }) => commandsOf(access));
    const own = (await readdir(new URL(`./${door}/`, import.meta.url))).map((file) => `${door}/${file}`);
    expect(await commandsIn([...own, ...shared])).toEqual([...behind, ...ownAffairs].toSorted());
  });
});

function commandsOf(access: Access): readonly string[] {
  return access.kind === 'command' ? access.commands : [];
}

/** Every command that these files name, tests aside. */
async function commandsIn(files: readonly string[]): Promise<readonly string[]> {
  const code = files.filter((file) => !/\.(test|contract)\.ts$/.test(file));
  const texts = await Promise.all(code.map((file) => readFile(new URL(file, import.meta.url), 'utf8')));
  const offered: ReadonlySet<string> = offeredKinds();
  const named = texts.flatMap((text) => [...text.matchAll(/'([A-Z][A-Za-z]+)'/g)].map(([, word = '']) => word));
  return [...new Set(named)].filter((word) => offered.has(word)).toSorted();
}

describe('an agent', () => {
  const roles: readonly Role[] = ['builder', 'operator', 'policy-owner', 'auditor', 'administrator'];
  const never = routes.filter(({ name }) => [...vote, ...breakGlass, ...letOn, ...changePolicy].includes(name));

  it.each(['as wide as one can be issued', 'of the deployment’s own'])(
    'with every role and a token %s votes on nothing, lets nothing on and changes no policy',
    async (token) => {
      const given = [...roles.map((role) => ({ role })), { role: 'approver', group: 'security' }];
      const agent = await addAgent(here, { roles: given, scopes });
      const held = token.startsWith('as') ? agent.token : await grantToken(here, agent.id);
      const headers = { authorization: `Bearer ${held}` };
      for (const route of never) {
        here.parts.refusals.forgive(agent.id);
        const sent = { ...bodyFor(ground, route), headers };
        const { status, body } = await here.ask(null, route.method, addressOf(ground, route), sent);
        const rule = String(body['rule']);
        const isOurs = ['agents', 'humans_only', 'requirement', 'separation/lent_token', 'door/step_up'].includes(rule);
        expect([routeKey(route.method, route.path), status, rule, isOurs]).toEqual([
          ...[routeKey(route.method, route.path), 403, rule, true],
        ]);
      }
    },
  );

  it('still takes away from users, and brings what gates then judge', async () => {
    const agent = await addAgent(here, { roles: [{ role: 'operator' }, { role: 'builder' }] });
    const headers = { authorization: `Bearer ${agent.token}` };
    const shown = await here.ask(null, 'GET', `/v1/promotions/${ground.things.promotion}`, { headers });
    expect(pickText(shown.body, 'state')).toBe('waiting_for_human');
    for (const name of ['rerunGate', 'pausePromotion', 'rollbackPromotion', 'openPromotion']) {
      const [route] = routes.filter((one) => one.name === name);
      if (route === undefined) throw new Error(`expected a route ${name}`);
      const sent = { ...bodyFor(ground, route), headers };
      expect([name, (await here.ask(null, route.method, addressOf(ground, route), sent)).status]).not.toEqual([
        name,
        403,
      ]);
    }
  });
});
