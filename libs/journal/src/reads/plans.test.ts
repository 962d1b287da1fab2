import { randomUUID } from 'node:crypto';
import { builtinPrincipals, idFrom, type Policy, uuidOf, type WorkspaceId } from '@proviso/domain';
import { createDatabase } from '@proviso/testkit';
import pg from 'pg';
import { openJournal } from '../index.ts';
import '../open.ts';
import { statements } from '../statement.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const prototypes = 40;

const policy: Policy = {
  name: 'plans',
  environment: 'production',
  evidenceAgeMaxMs: 86_400_000,
  gates: [
    { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 86_400_000 },
    {
      ...{ gate: 'canary', attemptsMax: 3, weights: [50], lookMs: 1_000, dwellMs: 0, deadlineMs: 60_000 },
      ...{ alpha: 0.01, beta: 0.05, rateRatioMax: 2 },
    },
  ],
};

/** One node of what EXPLAIN tells, as far as it matters here. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

const workspace: WorkspaceId = idFrom('wsp', randomUUID());
const promotion = idFrom('prm', randomUUID());
let client: pg.Client;

beforeAll(async () => {
  const database = await createDatabase();
  const journal = await openJournal({
    url: database.appUrl,
    connectionsMax: 2,
    origin: 'test',
    vaultKeyHex: database.vaultKeyHex,
    durable: false,
  });
  const bea = idFrom('psn', randomUUID());
  const ask = async (actor: typeof bea, command: Parameters<typeof journal.submit>[0]['command']) => {
    const receipt = await journal.submit({ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'test' });
    if (receipt.kind === 'refused') throw new Error(`${command.kind}: ${receipt.refusal.code}`);
  };
  const founder = builtinPrincipals.founder.id;
  await ask(founder, { kind: 'OpenWorkspace', workspace, name: 'test' });
  const bindings = [{ role: 'builder' }, { role: 'policy-owner' }] as const;
  await ask(founder, { kind: 'AddPerson', person: bea, principal: 'human', bindings });
  const approves = [{ role: 'approver', group: 'security' }] as const;
  const sam = idFrom('psn', randomUUID());
  await ask(founder, { kind: 'AddPerson', person: sam, principal: 'human', bindings: approves });
  const policyId = idFrom('pol', randomUUID());
  await ask(bea, { kind: 'PublishPolicy', policyId, policy, digest: digest('c'), author: bea });
  for (let index = 0; index < prototypes; index += 1) {
    const prototype = idFrom('pro', randomUUID());
    const candidate = idFrom('cnd', randomUUID());
    const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
    const hosts = { staging: `s${index}`, production: `p${index}` };
    await ask(bea, { kind: 'RegisterPrototype', prototype, name: `desk ${index}`, owner: bea, lanes, hosts });
    const manifest = { v: 1, artifact: digest('b'), parts: {} } as const;
    const provenance = { kind: 'upload', uploader: bea, authors: [] } as const;
    const content = { id: candidate, version: 'v1', manifestDigest: digest('a'), manifest, provenance };
    await ask(bea, { kind: 'FreezeCandidate', prototype, candidate: content });
    const opened = index === 0 ? promotion : idFrom('prm', randomUUID());
    await ask(bea, { kind: 'OpenPromotion', promotion: opened, prototype, candidate, policyId });
  }
  await journal.close();
  // As the product asks: the same role, and plans that know no values.
  client = new pg.Client({ connectionString: database.appUrl, options: '-c plan_cache_mode=force_generic_plan' });
  await client.connect();
});

afterAll(async () => {
  await client.end();
});

async function planOf(name: string, values: readonly string[]): Promise<PlanNode> {
  const text = statements().find((one) => one.name === name)?.text ?? '';
  await client.query('begin');
  try {
    await client.query(`set local proviso.workspace = '${uuidOf(workspace)}'`);
    await client.query(`prepare asked as ${text}`);
    const given = values.map((value) => client.escapeLiteral(value)).join(', ');
    const { rows } = await client.query(`explain (analyze, format json) execute asked(${given})`);
    return rows[0]['QUERY PLAN'][0].Plan as PlanNode;
  } finally {
    await client.query('rollback');
    await client.query('deallocate all');
  }
}

/** Rows that were fetched only to be thrown away because they belong to something else. */
function wastedIn(node: PlanNode): number {
  return (node['Rows Removed by Join Filter'] ?? 0) + (node.Plans ?? []).reduce((sum, one) => sum + wastedIn(one), 0);
}

describe('what a read costs', () => {
  it('does not grow with the other promotions of the workspace', async () => {
    expect(wastedIn(await planOf('read.promotion', [uuidOf(workspace), promotion]))).toBe(0);
  });

  it('is one prototype a lane for an edge, not all prototypes for each lane', async () => {
    expect(wastedIn(await planOf('read.edge_lanes', [uuidOf(workspace)]))).toBe(0);
  });
});
