// GitHub's published limits of check runs and comments. What breaks one is refused there as 422, so it is here.

const commentMax = 65_536;
const outputMax = 65_535;
const actionsMax = 3;

const statuses = ['queued', 'in_progress', 'completed'];
const conclusions = [...['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'timed_out']];

/** What is wrong with a check run as it is sent; empty: nothing. */
export function checkComplaints(fields: Readonly<Record<string, unknown>>): readonly string[] {
  const { name, output, actions = [] } = fields;
  const [status, conclusion] = [textIn(fields, 'status'), textIn(fields, 'conclusion')];
  const { title, summary } = (output ?? {}) as { title?: unknown; summary?: unknown };
  const offered = actions as readonly Readonly<Record<string, unknown>>[];
  return [
    ...sized('name', name, 1, 200),
    ...(status !== null && !statuses.includes(status) ? [`status ${status}`] : []),
    ...(conclusion !== null && !conclusions.includes(conclusion) ? [`conclusion ${conclusion}`] : []),
    ...(status === 'completed' && conclusion === null ? ['completed without a conclusion'] : []),
    ...(output === undefined ? [] : [...sized('title', title, 1, 255), ...sized('summary', summary, 1, outputMax)]),
    ...(offered.length > actionsMax ? [`${offered.length} actions`] : []),
    ...offered.flatMap(({ label, description, identifier }) => [
      ...sized('label', label, 1, 20),
      ...sized('description', description, 1, 40),
      ...sized('identifier', identifier, 1, 20),
    ]),
  ];
}

/** What is wrong with a comment. */
export function commentComplaints(body: string): readonly string[] {
  return sized('body', body, 1, commentMax);
}

/** A field that is a text; null: it is none. */
export function textIn(fields: Readonly<Record<string, unknown>>, name: string): string | null {
  const found = fields[name];
  return typeof found === 'string' ? found : null;
}

function sized(what: string, text: unknown, min: number, max: number): readonly string[] {
  const letters = typeof text === 'string' ? text.length : 0;
  return letters < min || letters > max ? [`${what} of ${letters} letters, expected ${min} to ${max}`] : [];
}
