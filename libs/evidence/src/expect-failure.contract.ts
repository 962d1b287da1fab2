import { EvidenceFailure, type EvidenceFailureCode } from './evidence-failure.ts';

/** Asserts the code of a failure and not its sentence, which may be reworded. */
export async function expectFailure(attempt: Promise<unknown>, code: EvidenceFailureCode): Promise<void> {
  const failure = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(EvidenceFailure);
  expect(failure instanceof EvidenceFailure && failure.code).toBe(code);
}
