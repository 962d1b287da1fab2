import { readFile } from 'node:fs/promises';
import { commandMatrix } from '@proviso/authority';
import { isVotersVerb } from '@proviso/authority';
import { toolLinesText, toolLines } from './agent-protocol.ts';
import { routeOf } from './tool-call.ts';
import { tools } from './tools.ts';

/** What tools may bring about; whoever adds a verb here has asked whether an agent should have it. */
const agentsVerbs = ['Comment', 'OpenPromotion', 'Pause', 'Rerun', 'Rollback'];

describe('the tools', () => {
  it('are these, and as committed', async () => {
    expect(tools.map(({ name }) => name)).toEqual([
      ...['list_promotions', 'promotion_status', 'gate_evidence', 'explain_action'],
      ...['list_prototypes', 'list_versions'],
      ...['list_policies', 'explain_policy', 'simulate_policy', 'test_policy'],
      ...['start_promotion', 'rerun_gate', 'comment', 'pause_canary', 'roll_back'],
    ]);
    expect(toolLinesText()).toBe(await readFile(new URL('../../agent-tools.generated.json', import.meta.url), 'utf8'));
  });

  it('have each a route whose commands are among what an agent may do, and no vote is', () => {
    const verbs = tools.flatMap((tool) => {
      const { access } = routeOf(tool);
      expect([tool.name, access.kind]).toEqual([tool.name, tool.effect === 'reads' ? 'read' : 'command']);
      return access.kind === 'command' ? access.commands : [];
    });
    expect(verbs.toSorted()).toEqual(agentsVerbs);
    expect(verbs.filter(isVotersVerb)).toEqual([]);
  });

  it('need no more than the scope of agents, and the scope gives no more', () => {
    const [, scopes = ''] = commandMatrix().split('Scopes of tokens, by verb');
    const held = scopes.split('\n').filter((line) => line.split(/\s+/).slice(1).includes('agent'));
    expect(held.map((line) => line.split(' ')[0])).toEqual([...agentsVerbs, 'read']);
  });

  it('show each text that has no closed form as somebody else’s', () => {
    const bare = toolLines().flatMap(({ name, outputSchema }) => bareTexts(outputSchema, name));
    expect(bare).toEqual([]);
  });
});

type Json = Readonly<Record<string, unknown>>;

/** Paths of a schema where any text could stand. */
function bareTexts(schema: unknown, path: string): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, pattern, enum: choices, const: word, properties, ...rest } = schema as Json;
  if (path.endsWith('.untrusted')) return [];
  if (type === 'string') return pattern === undefined && choices === undefined && word === undefined ? [path] : [];
  const below = Object.entries((properties ?? {}) as Json).flatMap(([name, one]) => bareTexts(one, `${path}.${name}`));
  const open = type === 'object' && rest['additionalProperties'] !== false ? [`${path} is open`] : [];
  const parts = Object.values(rest).flatMap((one) => (Array.isArray(one) ? one : [one]));
  return [...below, ...open, ...parts.flatMap((one: unknown) => bareTexts(one, path))];
}
