import type { Caller } from './caller.ts';
import { recorded } from './guard.ts';
import type { Parts } from './parts.ts';
import { timeOf } from './person-ref.ts';
import { Problem } from './problem.ts';
import { freshMs } from './provider.ts';

/** Until when somebody counts as freshly signed in; null when they do not. */
export function freshUntil({ now }: Pick<Parts, 'now'>, { session }: Pick<Caller, 'session'>): string | null {
  const at = session?.authenticatedAt ?? null;
  return at !== null && now() - at <= freshMs ? timeOf(at + freshMs) : null;
}

/** The journal asks the same by its own clock where the policy wants it; our pages want it for all that they change. */
export async function expectFresh(
  parts: Pick<Parts, 'now' | 'journal' | 'refusals'>,
  caller: Caller,
  door: string,
): Promise<void> {
  if (freshUntil(parts, caller) !== null) return;
  const refused = new Problem('step_up_required', 'expected a sign-in within the last five minutes', {
    ...{ rule: 'page/fresh_login', recorded: true },
  });
  throw await recorded(parts, caller, { door, refused });
}
