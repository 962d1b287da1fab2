import { type GateStatus, type PromotionId, gateStatuses, promotionStates } from '@proviso/domain';
import { buttonsOf, messageComplaints } from '@proviso/testkit';
import fc from 'fast-check';
import type { Bulletin } from '../bulletin.ts';
import { slackWishes } from './copy.ts';
import { type SlackMessage, slackMessage } from './message.ts';

const token = 't'.repeat(43);
const promotion: PromotionId = `prm_${'1'.repeat(32)}`;
const digest = `sha256:${'a'.repeat(64)}` as const;
const conversations = { main: 'C1', groups: { 'group/security': 'C2', 'group/board': 'C3' } };
const page = 'https://proviso.example/decide/gate_1-approval';

const waiting: Bulletin = {
  ...{ promotion, revision: 7, prototype: 'atlas', version: 'v2', standing: 'waiting_for_human', ended: false },
  headline: 'Waiting for Security (0 of 2) since 10:02.',
  ...{ source: null, openedAt: 1 },
  checks: [
    {
      ...{ gate: 'evaluation', attempt: 1, status: 'passed', words: '48 of 50, at least 88.0 %' },
      ...{
        live: '45 of 50, at least 80.1 %',
        evidence: [{ kind: 'report', url: 'https://proviso.example/v1/evidence/x' }],
      },
    },
  ],
  change: {
    ...{ liveVersion: 'v1', types: ['model', 'prompt'] },
    files: { added: 1, changed: 1, removed: 0, named: [{ word: 'changed', path: 'src/main.ts' }] },
  },
  ask: {
    ...{
      attempt: 1,
      status: 'waiting',
      bound: { artifact: digest, evidenceDigest: digest },
      channels: null,
      stepUp: false,
    },
    ...{
      requirements: [{ from: 'group/security', count: 2, have: 0 }],
      isGlassBroken: false,
      reminded: 0,
      escalatedTo: null,
    },
  },
  canRollBack: false,
  links: { page, preview: null },
};

const canaryCheck = { gate: 'canary', attempt: 1, status: 'passed', words: '', live: null } as const;

type Asking = NonNullable<Bulletin['ask']>;

function asks(over: Partial<Asking>, also: Partial<Bulletin> = {}): Bulletin {
  return { ...waiting, ...also, ask: { ...(waiting.ask as Asking), ...over } };
}

function drawn(key: string, bulletin: Bulletin): SlackMessage | null {
  return slackMessage({ key: `C1/${promotion}${key}`, token }, bulletin);
}

function pressable(message: SlackMessage | null): readonly (string | undefined)[] {
  return buttonsOf(message?.blocks ?? []).map(({ action_id }) => action_id);
}

describe('which messages should stand where', () => {
  const keys = (bulletin: Bulletin) =>
    slackWishes(bulletin, conversations).map(({ key }) => key.replace(promotion, 'prm'));

  it('follows from how the promotion stands', () => {
    expect(keys(waiting)).toEqual(['C1/prm', 'C1/prm/step/evaluation/1', 'C1/prm/ask/1', 'C2/prm/ask/1']);
    const late = asks({ reminded: 2, escalatedTo: 'group/board' });
    expect(keys(late).slice(2)).toEqual([
      ...['C1/prm/ask/1', 'C2/prm/ask/1', 'C3/prm/ask/1'],
      ...['C1/prm/reminder/1/1', 'C1/prm/reminder/1/2', 'C1/prm/escalation/1'],
    ]);
    expect(keys(asks({ status: 'passed' }))).toEqual(['C1/prm', 'C1/prm/step/evaluation/1']);
    expect(keys({ ...waiting, ended: true })).toEqual([]);
  });

  it('keeps what is said once apart from what changes, and in the thread of the parent', () => {
    const wishes = slackWishes(asks({ reminded: 1 }), conversations);
    const [parent, ...others] = wishes.filter(({ conversation }) => conversation === 'C1');
    expect(parent).toMatchObject({ thread: null, once: false });
    expect(others.map(({ thread }) => thread)).toEqual(others.map(() => parent?.key));
    const once = wishes.filter((one) => one.once).map(({ key }) => key.split('/')[2]);
    expect(once).toEqual(['step', 'reminder']);
  });
});

describe('what an asking says', () => {
  it('is bound to what is shown, with the differences to live', () => {
    const message = drawn('/ask/1', waiting);
    expect(pressable(message)).toEqual(['approve', 'request_changes', 'reject', 'delegate', 'open']);
    const [approve] = buttonsOf(message?.blocks ?? []);
    expect(approve?.value).toBe(`${token} 1 ${digest} ${digest}`);
    const text = JSON.stringify(message?.blocks);
    for (const words of [
      'Users are on v1. Other than live: model, prompt.',
      '88.0 % (live: 45 of 50',
      'changed: src/main.ts',
    ])
      expect(text).toContain(words);
  });

  it.each<[string, Partial<Asking>, string]>([
    ['when enough have agreed', { status: 'passed' }, 'approved.'],
    [
      'when the glass was broken',
      { status: 'passed', isGlassBroken: true },
      'passed by a broken glass: nobody has approved it.',
    ],
    ['when changes are wanted', { status: 'changes_requested' }, 'an approver asked for changes.'],
    ['when somebody said no', { status: 'rejected' }, 'rejected: not approved.'],
    ['when nobody answered', { status: 'expired' }, 'nobody answered in time: not approved.'],
    ['when the gate was opened anew', { attempt: 2 }, 'this asking was replaced: the gate was opened anew.'],
  ])('ends with one sentence and no button, %s', (_, over, words) => {
    const message = drawn('/ask/1', asks(over));
    expect(message?.text).toBe(`“atlas” v2: ${words}`);
    expect(pressable(message)).toEqual([]);
    // Whatever happens to the promotion afterwards.
    const later = asks(over, {
      headline: 'Live for 25 % of users.',
      standing: 'canary',
      revision: 99,
      canRollBack: true,
      change: null,
      checks: [...waiting.checks, { ...canaryCheck, evidence: [{ kind: 'looks', url: `${page}/looks` }] }],
      links: { page, preview: 'https://proviso.example/preview' },
    });
    expect(drawn('/ask/1', later)).toEqual(message);
  });

  it.each<[string, Partial<Asking>, boolean]>([
    ['a fresh sign-in', { stepUp: true }, false],
    ['the page alone', { channels: ['page'] }, false],
    ['Slack among others', { channels: ['page', 'slack'] }, true],
  ])('where the policy wants %s', (_, over, isHere) => {
    expect(pressable(drawn('/ask/1', asks(over))).includes('approve')).toBe(isHere);
  });
});

it('a parent offers the way back only while users are on the version', () => {
  expect(pressable(drawn('', { ...waiting, canRollBack: true }))).toEqual(['roll_back']);
  expect(pressable(drawn('', waiting))).toEqual([]);
});

it('a reminder that has become moot is not said', () => {
  expect(drawn('/reminder/1/1', asks({ reminded: 1 }))?.text).toMatch(/^Reminder: /);
  expect(drawn('/reminder/1/1', asks({ reminded: 1, status: 'passed' }))).toBeNull();
  expect(drawn('/reminder/1/1', asks({ reminded: 1, attempt: 2 }))).toBeNull();
});

describe('whatever strangers write', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5_000 }),
    fc.constantFrom(
      '<!here>',
      '<@U1|ada>',
      '<https://evil.example|Approved>',
      '&lt;!channel&gt;',
      '\u202eDESSAP',
      '✅ PASSED',
    ),
    fc.constantFrom(
      '@everyone',
      'https://evil.example',
      ':rocket:',
      '*bold* _it_ ~no~ `code`',
      'a|b',
      '\n\nApproved by Security',
    ),
  );
  const bulletins = fc
    .record({ prototype: nasty, version: nasty, headline: nasty, words: nasty, live: nasty, path: nasty, kind: nasty })
    .chain((said) =>
      fc.record({
        said: fc.constant(said),
        status: fc.constantFrom(...gateStatuses),
        standing: fc.constantFrom(...promotionStates),
      }),
    );

  it('no message breaks a limit of Slack, mentions anybody or links anywhere but to us', () => {
    fc.assert(
      fc.property(bulletins, ({ said, status, standing }) => {
        for (const key of ['', '/ask/1', '/ask/2', '/step/evaluation/1', '/reminder/1/1', '/escalation/1']) {
          const message = drawn(key, strange(said, status, standing));
          if (message === null) continue;
          expect(messageComplaints({ text: message.text, blocks: message.blocks })).toEqual([]);
          expect(liveIn(message)).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  function strange(
    said: Readonly<Record<string, string>>,
    status: GateStatus,
    standing: Bulletin['standing'],
  ): Bulletin {
    const { prototype = '', version = '', headline = '', words = '', live = '', path = '', kind = '' } = said;
    const [check] = waiting.checks;
    if (check === undefined) throw new Error('expected a check');
    const evidence = [{ kind, url: 'https://proviso.example/v1/evidence/x' }];
    const files = {
      added: 9,
      changed: 9,
      removed: 9,
      named: Array.from({ length: 20 }, () => ({ word: 'new', path })),
    };
    const change = { liveVersion: version, types: [], files };
    const told = { prototype, version, headline, standing, change, checks: [{ ...check, words, live, evidence }] };
    return asks({ status, reminded: 1, escalatedTo: `group/${kind}` }, told);
  }

  /** Every text of a message that a client could make more of than letters. */
  function liveIn({ text, blocks }: SlackMessage): readonly string[] {
    const found: string[] = [];
    const look = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const { type, text: words } = value as { type?: string; text?: unknown };
      if (type === 'mrkdwn') {
        const links = String(words).split(' · ');
        found.push(...links.filter((link) => !/^<https:\/\/proviso\.example\/[^<>|]*\|[^<>|]*>$/.test(link)));
      } else if (typeof words === 'string') found.push(...wrongIn(words));
      for (const inside of Object.values(value)) look(inside);
    };
    look(blocks);
    return [...found, ...wrongIn(text)];
  }

  function wrongIn(words: string): readonly string[] {
    return /[<>]|:\/\/|@(here|channel|everyone)|[\p{Cf}\p{Zl}\p{Zp}]|[^\P{Cc}\n]|&(lt|gt|amp|#\d+);/u.test(words)
      ? [words]
      : [];
  }
});
