import { type Deployment, atApproval, openDeployment, pick, pickText } from './deployment.contract.ts';

let here: Deployment;
let things: Awaited<ReturnType<typeof atApproval>>;

beforeAll(async () => {
  here = await openDeployment();
  things = await atApproval(here, 'offered');
  const hook = { name: 'offered', address: 'https://hooks.example/', types: ['dev.proviso.gate.*'] };
  await here.post('olga', '/v1/webhooks', hook);
});

afterAll(async () => {
  await here.close();
});

interface Offered {
  readonly rel: string;
  readonly allowed: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly whoCan: readonly string[];
}

async function offeredTo(actor: Parameters<Deployment['ask']>[0], address: string, ...path: (string | number)[]) {
  const { status, body } = await here.ask(actor, 'GET', address);
  expect([address, status]).toEqual([address, 200]);
  return (pick(body, ...path, 'actions') ?? []) as readonly Offered[];
}

describe('everything that is answered says what its reader may do', () => {
  it('and who can, in words of people, where the reader may not', async () => {
    const lane = pickText(
      (await here.ask('aud', 'GET', `/v1/prototypes/${things.prototype}`)).body,
      'lanes',
      'production',
    );
    const [first] = (await here.ask('aud', 'GET', '/v1/people')).body['items'] as { readonly id: string }[];
    const addresses: readonly [string, ...(string | number)[]][] = [
      ['/v1/workspaces', 'items', 0],
      ['/v1/workspace/limits'],
      ['/v1/me', 'person'],
      [`/v1/people/${here.people.bea}`],
      // Ids are drawn, so the auditor may be the first: of themselves they may do more.
      ['/v1/people', 'items', first?.id === here.people.aud ? 1 : 0],
      ['/v1/prototypes', 'items', 0],
      [`/v1/prototypes/${things.prototype}`],
      [`/v1/prototypes/${things.prototype}/candidates`, 'items', 0],
      ['/v1/policies', 'items', 0],
      [`/v1/policies/${things.policy}`],
      [`/v1/promotions/${things.promotion}`],
      [`/v1/gates/${things.gate}`],
      ['/v1/lanes', 'items', 0],
      [`/v1/lanes/${lane}`],
      [`/v1/lanes/${lane}/configuration`],
      ['/v1/webhooks', 'items', 0],
    ];
    for (const [address, ...path] of addresses) {
      const offered = await offeredTo('aud', address, ...path);
      expect([address, offered.length > 0]).toEqual([address, true]);
      for (const { rel, allowed, code, reason, whoCan } of offered) {
        // An auditor changes nothing, but for what is everybody's own affair; reads what others may not, and may say so.
        const own = ['revoke_token', 'unlink_identity', 'end_sessions', 'issue_own_token'];
        const isOwn = ['read_personal', 'comment'].includes(rel) || (address === '/v1/me' && own.includes(rel));
        expect([address, rel, allowed, code]).toEqual([address, rel, isOwn, isOwn ? null : 'not_permitted']);
        if (!isOwn) expect(reason).toMatch(/^expected somebody who may [a-z]/);
        // What is each one's own is nobody's by a role.
        if (!rel.includes('own_token') && rel !== 'link_identity') expect(whoCan.length).toBeGreaterThan(0);
      }
    }
  });

  it('and the try itself gives the same answer', async () => {
    const tries = [
      [
        'olga',
        `/v1/prototypes/${things.prototype}`,
        'trust',
        `/v1/prototypes/${things.prototype}/trust`,
        { trusted: true },
      ],
      [
        'bea',
        `/v1/prototypes/${things.prototype}`,
        'trust',
        `/v1/prototypes/${things.prototype}/trust`,
        { trusted: true },
      ],
      [
        'ada',
        `/v1/people/${here.people.kim}`,
        'grant_role',
        `/v1/people/${here.people.kim}/roles`,
        { role: 'auditor' },
      ],
      ['olga', `/v1/people/${here.people.kim}`, 'disable', `/v1/people/${here.people.kim}/disable`, {}],
    ] as const;
    for (const [actor, shown, rel, door, body] of tries) {
      const offered = (await offeredTo(actor, shown)).find((one) => one.rel === rel);
      const tried = await here.post(actor, door, body);
      expect([actor, rel, tried.status < 300, tried.body['code'] ?? null]).toEqual([
        ...[actor, rel, offered?.allowed, offered?.code],
      ]);
    }
  });
});

describe('a gate', () => {
  it('offers votes and reruns at the gate that it is about, and nothing else', async () => {
    const at = await offeredTo('sam', `/v1/gates/${things.gate}`);
    expect(at.map(({ rel, allowed }) => [rel, allowed])).toEqual([
      ['approve', true],
      ['reject', true],
      ['defer', true],
    ]);
    expect(await offeredTo('sam', `/v1/gates/${things.gate.replace('approval', 'readiness')}`)).toEqual([]);
    const own = await offeredTo('bea', `/v1/gates/${things.gate}`);
    expect(own.map(({ code, reason }) => [code, reason])).toEqual(
      Array.from({ length: 3 }, () => ['own_work', 'you asked for this promotion, so somebody else must decide']),
    );
  });
});
