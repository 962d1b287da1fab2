import { type GateStatus, type PromotionId, gateStatuses, promotionStates } from '@proviso/domain';
import { checkComplaints, commentComplaints } from '@proviso/testkit';
import fc from 'fast-check';
import type { Bulletin } from '../bulletin.ts';
import { isIdentifier } from './action.ts';
import { typedIn } from './command.ts';
import { conversationOf, githubWishes } from './copy.ts';
import { type GitHubCheck, type GitHubComment, commentMarkIn, githubMessage, markOf } from './message.ts';

const token = 't'.repeat(43);
const promotion: PromotionId = `prm_${'1'.repeat(32)}`;
const digest = `sha256:${'a'.repeat(64)}` as const;
const page = 'https://proviso.example/decide/gate_1-approval';
const source = { repository: 'Acme/Atlas', commit: 'c'.repeat(40) };

const waiting: Bulletin = {
  ...{ promotion, revision: 7, prototype: 'atlas', version: 'v2', standing: 'waiting_for_human', ended: false },
  ...{ source, openedAt: 5, headline: 'Waiting for Security (0 of 2) since 10:02.', change: null, canRollBack: false },
  checks: [],
  ask: {
    ...{ attempt: 1, status: 'waiting', bound: { artifact: digest, evidenceDigest: digest }, channels: null },
    ...{ stepUp: false, requirements: [{ from: 'group/security', count: 2, have: 0 }], isGlassBroken: false },
    ...{ reminded: 0, escalatedTo: null },
  },
  links: { page, preview: null },
};

type Asking = NonNullable<Bulletin['ask']>;

function asks(over: Partial<Asking>, also: Partial<Bulletin> = {}): Bulletin {
  return { ...waiting, ...also, ask: { ...(waiting.ask as Asking), ...over } };
}

function check(bulletin: Bulletin, over: object = {}): GitHubCheck {
  const copy = { key: `${promotion}/check`, token, address: 'check/1', postingSince: null, ...over };
  const message = githubMessage(copy, bulletin);
  if (message?.kind !== 'check') throw new Error('expected a check run');
  return message;
}

function comment(bulletin: Bulletin): GitHubComment {
  const copy = { key: `${promotion}/comment`, token, address: null, postingSince: null };
  const message = githubMessage(copy, bulletin);
  if (message?.kind !== 'comment') throw new Error('expected a comment');
  return message;
}

describe('copies', () => {
  it('stand at a commit that came from GitHub, and nowhere for anything else or after the end', () => {
    const wishes = githubWishes(waiting);
    expect(wishes.map(({ key }) => key)).toEqual([`${promotion}/check`, `${promotion}/comment`]);
    expect(new Set(wishes.map(({ conversation }) => conversation))).toEqual(new Set([conversationOf(source)]));
    expect(conversationOf(source)).toBe(`acme/atlas@${source.commit}`);
    expect(githubWishes({ ...waiting, source: null })).toEqual([]);
    expect(githubWishes({ ...waiting, ended: true })).toEqual([]);
  });

  it('that never stood anywhere say nothing after the end, and those that may stand do', () => {
    const copy = { key: `${promotion}/check`, token, address: null, postingSince: null };
    expect(githubMessage(copy, { ...waiting, ended: true })).toBeNull();
    expect(githubMessage({ ...copy, postingSince: 1 }, { ...waiting, ended: true })).not.toBeNull();
    expect(githubMessage({ ...copy, key: `${promotion}/other` }, waiting)).toBeNull();
  });

  it('carry no token, and a mark by which they are found', () => {
    const { body } = comment(waiting);
    expect(commentMarkIn(body)).toEqual({ prototype: 'atlas', openedAt: 5, mark: markOf(token) });
    expect(JSON.stringify([check(waiting), body])).not.toContain(token);
    expect(commentMarkIn(`words before ${body}`)).toBeNull();
  });
});

describe('an action', () => {
  it('is offered while people of here are asked, and names what was shown', () => {
    const [action, ...others] = check(waiting).actions;
    expect(others).toEqual([]);
    expect(isIdentifier(action?.identifier ?? '')).toBe(true);
    const identifiers = [
      waiting,
      asks({ attempt: 2 }),
      asks({ bound: { artifact: digest, evidenceDigest: `sha256:${'b'.repeat(64)}` } }),
      asks({ bound: { artifact: `sha256:${'b'.repeat(64)}`, evidenceDigest: digest } }),
    ].map((bulletin) => check(bulletin).actions[0]?.identifier);
    const copied = check(waiting, { token: 'u'.repeat(43) }).actions[0]?.identifier;
    expect(new Set([...identifiers, copied]).size).toBe(5);
  });

  it.each([
    ['a fresh sign-in is wanted', asks({ stepUp: true })],
    ['the policy names other channels', asks({ channels: ['page', 'slack'] })],
    ['nobody is asked any more', asks({ status: 'passed' })],
    ['nobody can be asked yet', asks({ bound: null })],
    ['the policy asks nobody', { ...waiting, ask: null }],
  ])('is not offered when %s', (_, bulletin) => {
    expect(check(bulletin).actions).toEqual([]);
    expect(check(bulletin).summary).not.toContain('/proviso approve');
  });
});

it('a check run passes nothing but what is live, and never ends as neutral or skipped', () => {
  const ends = promotionStates.map((standing) => [standing, check({ ...waiting, standing }).conclusion]);
  expect(ends.filter(([, conclusion]) => conclusion === 'success')).toEqual([['live', 'success']]);
  const known = [null, 'success', 'failure', 'cancelled', 'timed_out', 'action_required'];
  for (const [standing, conclusion] of ends)
    expect([standing, known.includes(conclusion ?? null)]).toEqual([standing, true]);
});

/** What is left of Markdown when its code is taken out: only there could anything come alive. */
function alive(markdown: string): string {
  return markdown.replaceAll(/^```text\n[\s\S]*?\n```$/gm, '').replaceAll(/`[^`\n]+`/g, '');
}

const evil = [
  ...['@everyone', '<!-- x -->', '<img src=x>', '[PASSED](https://evil.example)', '![x](https://evil.example)'],
  ...[
    '```\n# PASSED',
    '`@acme/all`',
    'v1` @acme/all `v2',
    'v1` #1',
    '#1',
    'https://evil.example',
    '\u202edessap',
    '| a | b |',
    '- [x] ok',
    '',
  ],
];
const strangers = fc.oneof(fc.constantFrom(...evil), fc.string({ unit: 'binary', maxLength: 200 }));
const statuses = fc.constantFrom<GateStatus>(...gateStatuses);

const bulletins: fc.Arbitrary<Bulletin> = fc
  .record({
    ...{ headline: strangers, version: strangers, words: strangers, live: fc.option(strangers), path: strangers },
    ...{ kind: strangers, status: statuses, standing: fc.constantFrom(...promotionStates), liveVersion: strangers },
    many: fc.integer({ min: 0, max: 400 }),
  })
  .map(({ headline, version, words, live, path, kind, status, standing, liveVersion, many }) => ({
    ...waiting,
    ...{ headline, version, standing },
    checks: Array.from({ length: 8 }, () => ({
      ...{ gate: 'scan' as const, attempt: 1, status, words, live },
      evidence: Array.from({ length: 5 }, () => ({ kind, url: 'https://proviso.example/v1/evidence/x' })),
    })),
    change: {
      ...{ liveVersion, types: ['code'] },
      files: {
        added: many,
        changed: many,
        removed: 0,
        named: Array.from({ length: many }, () => ({ word: 'new', path })),
      },
    },
  }));

it('whatever strangers have named, GitHub takes it, and nothing of it comes alive', () => {
  fc.assert(
    fc.property(bulletins, (bulletin) => {
      const drawn = check(bulletin);
      const { kind: _kind, page: details_url, title, summary, conclusion, ...fields } = drawn;
      const sent = {
        ...fields,
        details_url,
        output: { title, summary },
        ...(conclusion === null ? {} : { conclusion }),
      };
      const { body } = comment({ ...bulletin, ended: false });
      const words = alive(body.slice(body.indexOf('-->') + 3));
      const wrong = [...checkComplaints(sent), ...commentComplaints(body)];
      const isInert = !/[@#<>!|]|evil|PASSED|\p{Cf}/u.test(
        words.replaceAll(/\]\(https:\/\/proviso\.example\/[^)]*\)/g, ']'),
      );
      expect({ wrong, words, isInert }).toEqual({ wrong: [], words, isInert: true });
      expect(check(bulletin)).toEqual(drawn);
    }),
    { numRuns: 300 },
  );
});

describe('a command', () => {
  it.each([
    ['/proviso approve', { word: 'approve', rest: '' }],
    ['/proviso approve  ', { word: 'approve', rest: '' }],
    ['/proviso\treject it breaks', { word: 'reject', rest: 'it breaks' }],
    ['/proviso request-changes shorter\r\n\r\nplease', { word: 'request-changes', rest: 'shorter\n\nplease' }],
    ['/proviso', { word: 'help', rest: '' }],
    ['/proviso Approve', { word: 'help', rest: '' }],
    ['/proviso approved', { word: 'help', rest: '' }],
  ])('%j is read', (body, typed) => {
    expect(typedIn(body)).toEqual(typed);
  });

  it.each([
    ' /proviso approve',
    '> /proviso approve',
    'x\n/proviso approve',
    '/provisoapprove',
    '/Proviso approve',
    '',
  ])('%j is none', (body) => {
    expect(typedIn(body)).toBeNull();
  });
});
