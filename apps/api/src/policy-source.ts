import type { Policy } from '@proviso/domain';
import { readPolicyFile } from '@proviso/gates';
import { Problem, type ProblemDetail } from './problem.ts';

/** Reads a policy's YAML, or answers every mistake with its line and column. */
export function policyOfSource(source: string): Policy {
  const found = readPolicyFile(source);
  if (!found.ok)
    throw invalid(found.problems.map(({ code, message, line, column }) => detail(code, message, { line, column })));
  return found.value;
}

function invalid(errors: readonly ProblemDetail[]): Problem {
  return new Problem(
    'policy_invalid',
    `expected a policy, got a document with ${errors.length} ${errors.length === 1 ? 'mistake' : 'mistakes'}`,
    { errors },
  );
}

function detail(code: string, message: string, place: { line: number; column: number }): ProblemDetail {
  return { pointer: `/source#line=${place.line},column=${place.column}`, code, message };
}
