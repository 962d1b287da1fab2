import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Counters of this process, for Prometheus. */
export interface Metrics {
  readonly answered: (route: string, status: number) => void;
  readonly refused: (code: string) => void;
  readonly text: () => string;
  readonly close: () => void;
}

/** Labels come from the route table and from closed lists of codes, so the maps cannot grow with what strangers send. */
export function openMetrics(): Metrics {
  const answers = new Map<string, number>();
  const refusals = new Map<string, number>();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  return {
    answered: (route, status) => count(answers, `route="${route}",status="${status}"`),
    refused: (code) => count(refusals, `code="${code}"`),
    text: () =>
      [
        ...family('proviso_api_requests_total', 'counter', 'Requests answered.', answers),
        ...family('proviso_api_refusals_total', 'counter', 'Problems answered by code.', refusals),
        '# HELP proviso_api_event_loop_lag_seconds How late the event loop runs.',
        '# TYPE proviso_api_event_loop_lag_seconds gauge',
        `proviso_api_event_loop_lag_seconds{quantile="0.5"} ${delay.percentile(50) / 1e9}`,
        `proviso_api_event_loop_lag_seconds{quantile="0.99"} ${delay.percentile(99) / 1e9}`,
        '',
      ].join('\n'),
    close: () => delay.disable(),
  };
}

function count(counters: Map<string, number>, labels: string): void {
  counters.set(labels, (counters.get(labels) ?? 0) + 1);
}

function family(name: string, type: string, help: string, counters: ReadonlyMap<string, number>): readonly string[] {
  const lines = [...counters].sort().map(([labels, value]) => `${name}{${labels}} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}
