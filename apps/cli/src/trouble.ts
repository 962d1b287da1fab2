import { type ExitCode, exitCodes } from './exit-code.ts';

/**
 * Something a person can do something about: what was expected and got, and what to do next. main.ts prints it without
 * a stack trace and ends with the code.
 */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly exitCode: ExitCode;
  readonly advice: string | undefined;

  constructor(
    message: string,
    more: { readonly advice?: string; readonly exitCode?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.exitCode = more.exitCode ?? exitCodes.failed;
    this.advice = more.advice;
  }
}

/** The lines a person reads, and the number a script reads, for anything that was thrown. */
export function explain(error: unknown): { readonly lines: readonly string[]; readonly exitCode: ExitCode } {
  if (error instanceof Trouble) {
    const advice = error.advice === undefined ? [] : [`  ${error.advice}`];
    return { lines: [`proviso: ${error.message}`, ...advice], exitCode: error.exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  // Embedded servers explain themselves in several lines; the first say what happened.
  return { lines: [`proviso: ${message}`], exitCode: exitCodes.failed };
}
