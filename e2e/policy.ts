/** All gates, two approvals by different people, looks in quick succession, and patience with breakages: we cause them. */
export const killsPolicy = `policy: kills
environment: production
gates:
  - gate: readiness
    attemptsMax: 10
  - gate: scan
    attemptsMax: 10
  - gate: evaluation
    bar: 0.8
    repeats: 1
    attemptsMax: 10
  - gate: staging
    attemptsMax: 10
  - gate: approval
    requirements:
      - from: group/security
        count: 1
      - from: role/operator
        count: 1
    expires: 1h
  - gate: canary
    weights: [25, 50]
    look: 250ms
    dwell: 500ms
    deadline: 3m
    attemptsMax: 10
`;
