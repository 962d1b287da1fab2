import type { Finding } from '@proviso/domain';
import type { FindingForm } from './forms.ts';

/** The finding that somebody named; null: the whole gate. */
export function findingFrom(finding: FindingForm): Finding | null {
  if (finding === undefined) return null;
  const { code, file, line } = finding;
  return { code, ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
}
