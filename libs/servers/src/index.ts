export { type PostgresOptions, type RunningPostgres, startPostgres, storedPassword } from './embedded-postgres.ts';
export { freePort, LOOPBACK } from './free-port.ts';
export { type Leashed, type LeashedExit, type LeashOptions, startLeashed } from './leash.ts';
export { ServerFailure, type ServerFailureCode } from './server-failure.ts';
export { type RunningTemporal, startTemporal, temporalBinary, type TemporalOptions } from './temporal-dev-server.ts';
