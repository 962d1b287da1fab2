import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const sam = { id: `psn_${'a'.repeat(32)}`, name: 'Sam Security', kind: 'human', tokens: [] };

const own = { rule: 'separation/author', answer: 'no', words: 'you wrote part of this candidate' };
const told = {
  ...{ promotion: 'prm_1', person: sam, action: 'approve', allowed: false, code: 'own_work' },
  ...{ decidedBy: own.rule, whoCan: ['group/security'] },
  rules: [{ rule: 'enabled', answer: 'yes', words: 'you are an active person' }, own],
};

/** Runs the command against an API that gives one explanation. */
async function run(explanation: object, ...words: readonly string[]) {
  const answer: Answering = ({ path }) => {
    if (path.startsWith('/v1/people?')) return { status: 200, body: { items: [sam], next: null } };
    return path.startsWith('/v1/promotions/prm_1/explain')
      ? { status: 200, body: explanation }
      : problem(404, 'not_found');
  };
  const { code, printed, calls } = await ranAgainst(answer, ['explain', 'prm_1', ...words]);
  return { code, printed: printed.join('\n'), calls };
}

test('explain says who cannot and who can, then every rule, and ends as the try itself would', async () => {
  const { code, printed, calls } = await run(told, '--person', 'Sam Security');
  expect(printed.split('\n')[0]).toBe('Sam Security cannot approve this; group security can.');
  expect(printed).toMatch(/^separation\/author +no +you wrote part of this candidate$/m);
  expect(code).toBe(5);
  expect(calls.at(-1)?.path).toBe(`/v1/promotions/prm_1/explain?action=approve&person=${sam.id}`);
});

test('explain of what is allowed ends well, also for machines', async () => {
  const allowed = {
    ...told,
    action: 'cancel',
    allowed: true,
    code: null,
    decidedBy: 'state',
    rules: told.rules.slice(0, 1),
  };
  const { code, printed, calls } = await run(allowed, '--action', 'cancel', '--json');
  expect([code, JSON.parse(printed)]).toEqual([0, allowed]);
  expect(calls.at(-1)?.path).toBe('/v1/promotions/prm_1/explain?action=cancel');
});
