export { openPrometheus, type Prometheus, type PrometheusPlace } from './prometheus.ts';
export { promqlOf, type QuerySubject } from './promql.ts';
export { type Reading, type UnreadReason, unreadWords } from './reading.ts';
