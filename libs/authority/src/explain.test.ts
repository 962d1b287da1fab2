import { type Binding, leavesOf } from '@proviso/domain';
import fc from 'fast-check';
import { verbsOf } from './ability.ts';
import { type Subject, authorise, authority, explain } from './authority.ts';
import { anyPerson, anyPromotion, anySubject } from './random-subject.contract.ts';

/** Enough that each rule decides hundreds of times, in some seconds; fewer where the same is run for every mutant. */
const { numRuns = 10_000 } = fc.readConfigureGlobal();

/** The rules once more, as plainly as they can be said and without CASL: slow, and obviously right. */
function mayByHand({ actor, behind = [], command, promotion, prototype, environment, lentBy }: Subject): boolean {
  const [where, which] = [promotion?.prototype ?? prototype, promotion?.policy.environment ?? environment];
  const reaching = actor.bindings.filter(
    (held) =>
      verbsOf[held.role].includes(command.kind) &&
      (held.prototype === undefined || held.prototype === where) &&
      (held.environment === undefined || held.environment === which),
  );
  if (actor.disabled || behind.some(({ disabled }) => disabled) || reaching.length === 0) return false;
  if (actor.kind === 'agent' && neverByAgents.includes(command.kind)) return false;
  if (['Delegate', 'AskWaiver', 'AskBreakGlass', 'ReviewBreakGlass'].includes(command.kind)) return lentBy == null;
  const isOut = promotion?.exclusions.some(({ person }) => person === actor.id) ?? true;
  const isTheirs = actor.kind === 'human' && !isOut && lentBy == null;
  if (command.kind === 'Advance') return isTheirs;
  if (!['Decide', 'Defer', 'ApproveWaiver', 'ApproveBreakGlass'].includes(command.kind)) return true;
  const [approval] = promotion?.policy.gates ?? [];
  const rule = approval?.gate === 'approval' ? approval : undefined;
  const voters = leavesOf(rule?.requirements ?? []).map(({ from }) => from);
  const exceptions: Partial<Record<string, string>> = {
    ...{ ApproveWaiver: rule?.waivers?.from, ApproveBreakGlass: rule?.breakGlass?.from },
  };
  const asked = command.kind.startsWith('Approve') ? [exceptions[command.kind] ?? ''] : voters;
  const isAsked = reaching.some((held) => asked.some((from) => namesOf(held).includes(from)));
  return isAsked && isTheirs;
}

/** What lets something on, says who decides, or breaks a glass. */
const neverByAgents = [
  ...['Unpause', 'Advance', 'ResumeLane', 'PublishPolicy', 'AgreeToPolicy', 'AssignTier'],
  ...['AskBreakGlass', 'ReviewBreakGlass'],
];

function namesOf({ role, group }: Binding): readonly string[] {
  return role === 'approver' && group !== undefined ? [`role/${role}`, `group/${group}`] : [`role/${role}`];
}

describe('explain', () => {
  it('ends with the very answer of authorise, and says no only there', () => {
    fc.assert(
      fc.property(anySubject, (subject) => {
        const asked = explain(subject);
        expect(asked.at(-1)?.refusal ?? null).toEqual(authorise(subject));
        expect(asked.slice(0, -1).every(({ answer, refusal }) => answer === 'yes' && refusal === null)).toBe(true);
        expect(asked.at(-1)?.answer).toBe(authorise(subject) === null ? 'yes' : 'no');
      }),
      { numRuns },
    );
  });

  it('agrees with the rules as plainly as they can be said', () => {
    fc.assert(
      fc.property(anySubject, (subject) => {
        expect(authorise(subject) === null).toBe(mayByHand(subject));
      }),
      { numRuns },
    );
  });

  it('has a name and words for every rule that was asked', () => {
    fc.assert(
      fc.property(anySubject, (subject) => {
        for (const { rule, words } of explain(subject)) {
          expect(rule).toMatch(
            /^(enabled|answerer|lender|agents|ability\/\w+|requirement(\/[a-z/+]+)?|humans_only|separation(\/\w+)?)$/,
          );
          expect(words).toMatch(/^[a-z].*[^.]$/);
        }
      }),
      { numRuns: numRuns / 10 },
    );
  });
});

describe('a vote counts', () => {
  it('toward a requirement exactly when its caster could be asked for that requirement alone', () => {
    fc.assert(
      fc.property(anyPerson, anyPromotion, (actor, promotion) => {
        const [approval] = promotion.policy.gates;
        const requirements = approval?.gate === 'approval' ? leavesOf(approval.requirements) : [];
        for (const requirement of requirements) {
          const gates = [{ gate: 'approval' as const, requirements: [requirement], expiresMs: 1 }];
          const alone = { ...promotion, policy: { ...promotion.policy, gates } };
          const may = mayByHand({ actor, command: { kind: 'Decide' }, promotion: alone });
          expect(authority.counts(actor, requirement, promotion)).toBe(may);
        }
      }),
      { numRuns },
    );
  });
});
