import { type Logger, destination, pino } from 'pino';

/** One JSON line per event on stderr, so that stdout stays free for what a command prints. */
export function openLog(level: 'info' | 'silent' = 'info'): Logger {
  return pino(
    { level, base: { app: 'api' }, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ dest: 2, sync: true }),
  );
}

/**
 * What may be told about a breakage. Only names and codes: messages of databases and tools can carry the values they
 * choked on, and those may be personal data or secrets.
 */
export function breakageOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const cause = error.cause instanceof Error ? breakageOf(error.cause) : undefined;
  const at = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return { error: error.name, code, at: at?.trim(), cause };
}

export type { Logger };
