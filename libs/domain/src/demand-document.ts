import type { Demand } from './demand.ts';
import { type GroupNode, type Shape, about, byKey, called, group, integer, list, text } from './shape.ts';

const requirement = group({
  from: about(
    text({ pattern: '^(group|role)/[a-z][a-z0-9-]{0,62}$', meaning: 'group/<name> or role/<name>' }),
    'whose votes count',
  ),
  count: about(integer({ min: 1, max: 20 }), 'how many distinct people'),
});

/** Deeper than this nobody reads a rule right. */
const joinsDeepMax = 3;

/** A requirement, or several joined by any, all or atLeast, as deep as the bound allows. */
function demandShape(depth: number): Shape<Demand> {
  if (depth === 0) return called('requirement', requirement);
  const parts = list(demandShape(depth - 1), { min: 1, max: 20 });
  const cases: Readonly<Record<string, Shape<unknown> & GroupNode>> = {
    from: requirement,
    any: group({ any: about(parts, 'one of them is enough') }),
    all: group({ all: about(parts, 'all of them must be met') }),
    atLeast: group({
      atLeast: about(integer({ min: 1, max: 20 }), 'how many of them must be met'),
      of: parts,
    }),
  };
  return called(`requirement-${depth}`, byKey(cases) as Shape<Demand>);
}

/** What a policy asks for at an approval gate. */
export const demands = about(
  list(demandShape(joinsDeepMax), { min: 1, max: 20 }),
  'all of them must be met, by different people',
);
