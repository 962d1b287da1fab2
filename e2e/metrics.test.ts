import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packed, uploadedCandidate } from './candidate.ts';
import { onDrivenStage } from './driven-stage.ts';
import { type Doors, type Driver, followedToEnd, openDoors, type PromotionDocument, registered } from './journey.ts';
import { projectRoot } from './project-root.ts';

/** Alone it takes half a minute; other tests may keep both cores busy meanwhile. */
const testMsMax = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'proviso-metrics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const policy = `policy: measured
environment: production
gates:
  - gate: canary
    weights: [50]
    metrics:
      latency: { portion: 0.3 }
      score: { portion: 0.2 }
    look: 250ms
    dwell: 500ms
    deadline: 3m
`;

/** Answers after a while without ever failing, and reports a few times a second how good its answers were. */
const server = `import { createServer } from 'node:http';
const { SLOW_MS, SCORE_MAX, PORT, HOST, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url } = process.env;
const dataPoints = [];
createServer((_request, response) => {
  dataPoints.push({ asDouble: Math.random() * Number(SCORE_MAX) });
  setTimeout(() => response.end('answered'), Number(SLOW_MS));
}).listen(PORT, HOST);
setInterval(async () => {
  const metrics = [{ name: 'gen_ai.evaluation.score.value', gauge: { dataPoints: dataPoints.splice(0) } }];
  const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined);
}, 100);
`;

interface Version {
  readonly version: string;
  readonly slowMs: number;
  readonly scoreMax: number;
}

const name = 'measured';
const contractOf = ({ slowMs, scoreMax }: Version): string => `prototype: ${name}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], environment: { SLOW_MS: '${slowMs}', SCORE_MAX: '${scoreMax}' } }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.05 }
`;

/** Promotes a version while visitors come, and gives its end with what the canary's gate said. */
async function ended(
  driver: Driver,
  { doors, prototype }: { readonly doors: Doors; readonly prototype: string },
  version: Version,
): Promise<{ readonly outcome: string | null; readonly said: string }> {
  const archive = packed({ 'server.mjs': server, 'proviso.yaml': contractOf(version), 'cases.yaml': '[]' });
  const candidate = await uploadedCandidate(doors.bea, { prototype, version: version.version, archive });
  const body = { prototype, candidate, policy: driver.policy };
  const { id } = await doors.bea.post<{ id: string }>('/v1/promotions', body);
  const { outcome, trouble } = await followedToEnd(driver, { doors, name, plot: 'good' }, id);
  if (trouble !== null) throw new Error(trouble);
  const { gates } = await doors.bea.get<PromotionDocument>(`/v1/promotions/${id}`);
  return { outcome, said: gates.flatMap(({ reasons }) => reasons.map(({ message }) => message)).join('; ') };
}

it(
  'a canary that never fails is rolled back when it is slower or answers worse, by that name, and else goes live',
  async () => {
    const stage = { codeRoot: projectRoot, projectRoot, folder, policy, requests: [{ method: 'GET', path: '/' }] };
    await onDrivenStage(stage, async (driver) => {
      const doors = openDoors(driver);
      const on = { doors, prototype: await registered(doors, name) };
      expect(await ended(driver, on, { version: 'first', slowMs: 15, scoreMax: 1 })).toMatchObject({ outcome: 'live' });
      const slow = await ended(driver, on, { version: 'slow', slowMs: 45, scoreMax: 1 });
      expect(slow).toMatchObject({
        outcome: 'rolled_back',
        said: expect.stringContaining('the new version is slower than the one before (latency): new 0 of '),
      });
      const dull = await ended(driver, on, { version: 'dull', slowMs: 15, scoreMax: 0.5 });
      expect(dull).toMatchObject({ outcome: 'rolled_back', said: expect.stringContaining('score lower') });
      const alike = await ended(driver, on, { version: 'alike', slowMs: 15, scoreMax: 1 });
      expect(alike).toMatchObject({ outcome: 'live' });
    });
  },
  testMsMax,
);
