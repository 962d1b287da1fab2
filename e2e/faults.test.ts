import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { stoodStill, uploadedCandidate } from './candidate.ts';
import { type Door, openDoor, Refused } from './door.ts';
import { type IllBehaved, illBehavedArchive } from './ill-behaved.ts';
import { registered } from './journey.ts';
import { killsPolicy } from './policy.ts';
import { openOwnStage, type OwnStage } from './own-stage.ts';

let stage: OwnStage;
let bea: Door;
let olga: Door;

beforeAll(async () => {
  stage = await openOwnStage('faults', {
    policy: killsPolicy.replaceAll('attemptsMax: 10', 'attemptsMax: 2'),
  });
  bea = openDoor(stage.apiUrl, stage.cast.people.bea, []);
  olga = openDoor(stage.apiUrl, stage.cast.people.olga, []);
});

afterAll(async () => {
  await stage.close();
});

interface Shown {
  readonly state: string;
  readonly headline: string;
  readonly stoppedAt: string | null;
  readonly blockers: readonly { readonly message: string }[];
}

async function uploaded(
  name: string,
  kind: IllBehaved,
  trusted = true,
): Promise<{ prototype: string; candidate: string }> {
  const prototype = await registered({ bea, olga }, name, trusted);
  const version = { prototype, version: 'v1', archive: illBehavedArchive(kind, name) };
  return { prototype, candidate: await uploadedCandidate(bea, version) };
}

async function promoted(name: string, kind: IllBehaved, trusted = true): Promise<Shown> {
  const content = await uploaded(name, kind, trusted);
  const policy = stage.cast.policies.kills?.id;
  const { id } = await bea.post<{ id: string }>('/v1/promotions', { ...content, policy });
  return await stoodStill<Shown>(bea, id);
}

describe('a prototype with bad manners', () => {
  it('that never becomes healthy is blocked, and says so in words for its builder', async () => {
    const shown = await promoted('sickly', 'never_healthy');
    expect(shown).toMatchObject({ state: 'blocked', stoppedAt: 'evaluation' });
    expect(shown.blockers[0]?.message).toMatch(/2 s|2s|healthy|ready/);
  });

  it('that exits at once is blocked with its last words', async () => {
    const shown = await promoted('fleeting', 'exits_at_once');
    expect(shown).toMatchObject({ state: 'blocked', stoppedAt: 'evaluation' });
    expect(shown.blockers.map((blocker) => blocker.message).join(' ')).toContain('no database to be found');
  });

  it('that floods its output fills neither memory nor disk, and is told about it', async () => {
    const shown = await promoted('talkative', 'floods');
    expect(shown).toMatchObject({ state: 'blocked', stoppedAt: 'evaluation' });
    expect(shown.blockers.map((blocker) => blocker.message).join(' ')).toMatch(/output|wrote/);
  });

  it('that no operator vouches for runs isolated or not at all, and passes nothing', async () => {
    const shown = await promoted('stranger', 'floods', false);
    expect(shown.stoppedAt).toBe('evaluation');
    expect(shown.blockers[0]?.message).toMatch(/output|wrote|cannot isolate/);
  });
});

describe('a promotion without a policy', () => {
  it.each(['pol_00000000000000000000000000000000', 'standard'])(
    'is refused when the policy is %s: nothing goes ungated',
    async (policy) => {
      const content = await uploaded(`ungated-${policy.slice(0, 3)}-${policy.length}`, 'floods');
      const refused = await bea.post('/v1/promotions', { ...content, policy }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refused);
      expect((refused as Refused).status).toBeGreaterThanOrEqual(400);
      expect((refused as Refused).status).toBeLessThan(500);
      const { items } = await bea.get<{ items: readonly unknown[] }>(`/v1/promotions?prototype=${content.prototype}`);
      expect(items).toEqual([]);
    },
  );
});

describe('a client that disappears', () => {
  it('in the middle of an upload leaves nothing behind and disturbs nobody', async () => {
    const { prototype } = await uploaded('abandoned', 'floods');
    const { port } = new URL(stage.apiUrl);
    const socket = connect(Number(port), '127.0.0.1');
    const head = `POST /v1/prototypes/${prototype}/candidates HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stage.cast.people.bea.token}\r\n`;
    const part =
      '--b\r\ncontent-disposition: form-data; name="archive"; filename="a.zip"\r\ncontent-type: application/zip\r\n\r\n';
    socket.write(`${head}content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n${part}PK`);
    await pause(100);
    socket.destroy();
    const { items } = await bea.get<{ items: readonly { version: string }[] }>(
      `/v1/prototypes/${prototype}/candidates`,
    );
    expect(items.map((candidate) => candidate.version)).toEqual(['v1']);
  });
});
