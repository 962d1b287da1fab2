import { openLaneCounter } from './counts.ts';
import { escapeLabel, metricsOf } from './metrics.ts';

test('a lane is shown per arm, with escaped labels and cumulative buckets', () => {
  const counter = openLaneCounter();
  counter.visit('canary', null).answered(3);
  counter.visit('canary', null).answered(70_000);
  const counts = {
    ...counter.read(),
    lane: 'a"\n',
    boot: 'b',
    fence: { incarnation: 1, counter: 1 },
    weightPercent: 25,
    parked: false,
    epoch: 1,
    since: '',
    ageMs: 0,
    latencyBoundsMs: [1, 2, 5],
  };
  const arms = {
    canary: { ...counts.canary, latencyHistogram: [0, 0, 1, 1] },
    stable: { ...counts.stable, latencyHistogram: [0, 0, 0, 0] },
  };
  const text = metricsOf([{ counts: { ...counts, ...arms }, leaseRemainingMs: 1_500, releasesReady: 1 }]);
  expect(text).toContain('proviso_edge_requests_total{lane="a\\"\\n",arm="canary"} 2\n');
  expect(text).toContain('proviso_edge_canary_weight{lane="a\\"\\n"} 0.25\n');
  expect(text).toContain('proviso_edge_lease_seconds{lane="a\\"\\n"} 1.5\n');
  expect(text).toContain('arm="canary",le="0.005"} 1\n');
  expect(text).toContain('arm="canary",le="+Inf"} 2\n');
  expect(text.split('\n').every((line) => line === '' || /^(# TYPE \w+ \w+|\w+{.*} [\d.]+)$/.test(line))).toBe(true);
});

test('a label cannot end early', () => {
  expect(escapeLabel('a\\"b\nc')).toBe('a\\\\\\"b\\nc');
});
