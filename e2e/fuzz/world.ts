import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packed, uploadedCandidate } from '../candidate.ts';
import type { Extra } from '../cast.ts';
import { openDoor } from '../door.ts';
import type { Stage } from '../stage.ts';

/** The roles in whose name everything is asked. */
export const fuzzedRoles = ['builder', 'approver', 'administrator'] as const;
/** One of them. */
export type FuzzedRole = (typeof fuzzedRoles)[number];

/** Whoever is refused sixty times in a minute is not heard any more; so many people are never refused that often each. */
const teamSize = 60;

/** So many have to agree that a gate stays open under all the votes that are made up. */
const votersMin = 20;
const voter = { role: 'approver', group: 'security' } as const;

/** People of one role, in whose name is asked, and enough who could vote: a policy that nobody could meet is refused. */
export function castFor(role: FuzzedRole): readonly Extra[] {
  const bindings = role === 'approver' ? [voter] : [{ role }];
  const team = Array.from({ length: teamSize }, (_, index) => ({ key: `${member}${index}`, bindings }));
  const voters = Array.from({ length: votersMin }, (_, index) => ({ key: `voter-${index}`, bindings: [voter] }));
  return [...team, ...voters];
}

const member = 'member-';

/** People first, so that there is a gate to decide at without any machine. */
export const fuzzPolicy = `policy: fuzz
gates:
  - gate: approval
    requirements: [{ from: group/security, count: ${votersMin} }]
  - gate: canary
    weights: [50]
`;

type Words = Readonly<Record<string, readonly string[]>>;

/** Things of every kind, and their names for Schemathesis: out of nothing it would draw ids that nobody has. */
export async function furnish(stage: Stage, folder: string): Promise<void> {
  const { cast, apiUrl } = stage;
  const bea = openDoor(apiUrl, cast.people.bea, []);
  const words: Record<string, string[]> = {
    prototypes: [],
    promotions: [],
    lanes: [],
    gates: [],
    candidates: [],
    digests: [],
  };
  for (const name of ['desk', 'shop', 'wiki']) {
    const made = await bea.post<{ id: string; lanes: Record<string, string> }>('/v1/prototypes', { name });
    const archive = packed({ 'main.mjs': `// ${name}\n` });
    const candidate = await uploadedCandidate(bea, { prototype: made.id, version: 'v1', archive });
    const policy = cast.policies['fuzz']?.id;
    const opened = await bea.post<Opened>('/v1/promotions', { prototype: made.id, candidate, policy });
    words['prototypes']?.push(made.id);
    words['candidates']?.push(candidate);
    words['promotions']?.push(opened.id);
    words['lanes']?.push(...Object.values(made.lanes));
    words['gates']?.push(...opened.gates.map(({ id }) => id));
    words['digests']?.push(
      ...opened.gates.flatMap(({ artifactDigest, evidenceDigest }) => [artifactDigest, evidenceDigest ?? []].flat()),
    );
  }
  const people = Object.values(cast.people).map(({ id }) => id);
  const policies = Object.values(cast.policies).map(({ id }) => id);
  const team = Object.entries(cast.extras).flatMap(([key, one]) => (key.startsWith(member) ? [one] : []));
  writeFileSync(join(folder, 'team.json'), JSON.stringify(team));
  writeFileSync(join(folder, 'schemathesis.toml'), configOf({ ...words, people, policies }));
}

interface Opened {
  readonly id: string;
  readonly gates: readonly {
    readonly id: string;
    readonly artifactDigest: string;
    readonly evidenceDigest: string | null;
  }[];
}

/** How often a real name is drawn where one is asked for, and among all other texts. */
const namedShare = 0.7;
const wordShare = 0.15;

const hooks = join(dirname(fileURLToPath(import.meta.url)), 'hooks.py');

/** Their configuration: JSON's lists and texts are TOML's as well. */
function configOf(words: Words): string {
  const dictionaries = { ...words, all: Object.values(words).flat() };
  const lists = Object.entries(dictionaries).map(
    ([name, values]) => `${name} = { values = ${JSON.stringify(values)} }`,
  );
  const operations = ['prototypes', 'promotions', 'lanes', 'gates', 'people', 'policies'].map((noun) =>
    [
      '[[operations]]',
      `include-path-regex = '^/v1/${noun}/\\{id\\}'`,
      `parameters = { id = { dictionary = "${noun}", probability = ${namedShare} } }`,
    ].join('\n'),
  );
  return [
    `hooks = ${JSON.stringify(hooks)}`,
    `[generation.dictionaries]\nstring = { dictionary = "all", probability = ${wordShare} }`,
    `[dictionaries]\n${lists.join('\n')}`,
    // Any no is a no: what is too large is 413, what has moved on 412, and neither stands in the list of Schemathesis.
    `[checks.negative_data_rejection]\nexpected-statuses = ["4xx"]`,
    ...operations,
    '',
  ].join('\n');
}
