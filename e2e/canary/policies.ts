/** The part of a canary that differs from scenario to scenario. */
export interface CanaryChoice {
  readonly weights: readonly number[];
  readonly look: string;
  readonly dwell: string;
  readonly deadline: string;
  /** What the Prometheus `main` is asked of latencies; left out, errors alone are judged. */
  readonly latencyQuery?: string;
}

/** A policy under which two people agree first and nothing else is asked, so that a canary is reached in seconds. */
export function policyOf(name: string, { weights, look, dwell, deadline, latencyQuery }: CanaryChoice): string {
  return `policy: ${name}
environment: production
gates:
  - gate: approval
    requirements:
      - from: group/security
        count: 1
      - from: role/operator
        count: 1
    expires: 1h
  - gate: canary
    weights: [${weights.join(', ')}]
    look: ${look}
    dwell: ${dwell}
    deadline: ${deadline}
    attemptsMax: 10
${latencyQuery === undefined ? '' : metricsOf(latencyQuery)}`;
}

function metricsOf(query: string): string {
  return `    metrics:
      latency: { portion: 0.2, from: prometheus/main, query: '${query}' }
`;
}

/** To live as fast as it can be proven. */
export const quickPolicy = policyOf('quick', { weights: [25, 50], look: '250ms', dwell: '500ms', deadline: '10m' });

/** At a quarter of all users for as long as a scenario lasts: whatever ends it there is what the scenario does. */
export const stillPolicy = policyOf('still', { weights: [25, 50], look: '500ms', dwell: '2h', deadline: '4h' });
