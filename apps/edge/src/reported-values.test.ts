import fc from 'fast-check';
import { edgeBounds } from '@proviso/domain';
import { BadReport, readReportedEvents, readReportedMetrics } from './reported-values.ts';

const score = 'gen_ai.evaluation.score.value';
const cost = 'gen_ai.usage.cost.amount';
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** A request with some metrics in it, as an exporter sends it. */
function metrics(...all: readonly object[]): object {
  const resource = { attributes: [attribute('service.name', 'help-desk')] };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'ours' }, metrics: all }] }] };
}

const gauge = (name: string, ...dataPoints: readonly object[]) => ({ name, gauge: { dataPoints } });
const histogram = (name: string, point: object, aggregationTemporality = 1) => ({
  name,
  histogram: { aggregationTemporality, dataPoints: [point] },
});

describe('what a release reports of its answers', () => {
  it('is the points of a gauge, each with its bucket and its visitor', () => {
    const body = metrics(
      gauge(score, { asDouble: 0.82, attributes: [attribute('session.id', 's-1')] }, { asInt: '1' }),
      gauge(cost, { asDouble: 0.003, attributes: [attribute('user.id', 'u-1'), attribute('session.id', 's-1')] }),
      gauge('http.server.request.duration', { asDouble: 3 }),
    );
    expect(readReportedMetrics(body)).toEqual({
      values: [
        { metric: 'score', bucket: edgeBounds.score.indexOf(0.85), count: 1, unit: 's-1' },
        { metric: 'score', bucket: edgeBounds.score.indexOf(1), count: 1, unit: null },
        { metric: 'cost', bucket: edgeBounds.cost.indexOf(0.005), count: 1, unit: 'u-1' },
      ],
      rejected: 0,
      why: null,
    });
  });

  it('is a histogram of one value, or of several in our own buckets', () => {
    const bucketCounts = ['0', '2', ...new Array<string>(14).fill('0'), '3'];
    const ours = { count: '5', sum: 90, bucketCounts, explicitBounds: edgeBounds.cost };
    const body = metrics(histogram(cost, { count: '1', sum: 20 }), histogram(cost, ours));
    expect(readReportedMetrics(body).values).toEqual([
      { metric: 'cost', bucket: 16, count: 1, unit: null },
      { metric: 'cost', bucket: 1, count: 2, unit: null },
      { metric: 'cost', bucket: 16, count: 3, unit: null },
    ]);
  });

  it.each([
    ['totals since the start', histogram(score, { count: '1', sum: 0.5 }, 2), 'delta temporality'],
    [
      'buckets of their own',
      histogram(score, { count: '2', sum: 1, explicitBounds: [1], bucketCounts: [2, 0] }),
      'bounds',
    ],
    [
      'several values of one visitor',
      histogram(cost, {
        ...{ count: '2', sum: 1, explicitBounds: edgeBounds.cost, bucketCounts: new Array(17).fill(0) },
        attributes: [attribute('user.id', 'u-1')],
      }),
      'one value for a visitor',
    ],
    ['a score of another scale', gauge(score, { asDouble: 4.5 }), 'from 0 to 1'],
    ['a cost below zero', gauge(cost, { asDouble: -1 }), 'at least 0'],
    ['no number', gauge(cost, { asDouble: 'NaN' }), 'a number'],
    ['no value', gauge(cost, {}), 'a number'],
    ['a sum', { name: cost, sum: { dataPoints: [{ asDouble: 1 }] } }, 'a gauge or a histogram'],
  ])('rejects %s and says why, and reads the rest', (_what, metric, why) => {
    const read = readReportedMetrics(metrics(metric, gauge(score, { asDouble: 1 })));
    expect(read).toMatchObject({ rejected: 1, why: expect.stringContaining(why) });
    expect(read.values).toHaveLength(1);
  });

  it('is the events that tell the result of an evaluation', () => {
    const attributes = [{ key: score, value: { doubleValue: 0.5 } }, attribute('gen_ai.conversation.id', 'c-1')];
    const logRecords = [
      { eventName: 'gen_ai.evaluation.result', attributes },
      { body: { stringValue: 'started' } },
      { attributes: [attribute('event.name', 'gen_ai.evaluation.result')] },
    ];
    const read = readReportedEvents({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    expect(read.values).toEqual([{ metric: 'score', bucket: 5, count: 1, unit: 'c-1' }]);
    expect(read.rejected).toBe(1);
  });

  it('is bounded', () => {
    const points = (count: number) => metrics(gauge(score, ...new Array<object>(count).fill({ asDouble: 1 })));
    expect(readReportedMetrics(points(1_000)).values).toHaveLength(1_000);
    expect(() => readReportedMetrics(points(1_001))).toThrow(BadReport);
  });

  it('is refused in words when it is no OTLP, whatever it is', () => {
    const names = fc.constantFrom(
      'resourceMetrics',
      'scopeMetrics',
      'metrics',
      'name',
      'gauge',
      'dataPoints',
      'asDouble',
    );
    const keys = fc.oneof(
      names,
      fc.constantFrom('attributes', 'key', 'value', 'histogram', 'constructor', score),
      fc.string(),
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 8 },
        fc.constantFrom(score, cost, null, 0, 1, 'x', true),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(keys, tie('any'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(any, (body) => {
        for (const read of [readReportedMetrics, readReportedEvents]) {
          try {
            const { values } = read(body);
            expect(values.every(({ bucket, count }) => bucket >= 0 && bucket <= 16 && count > 0)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(BadReport);
          }
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
