import { type Explanation, explainAction } from '@proviso/client';
import { type ExitCode, exitCodeOfProblem, exitCodes } from '../exit-code.ts';
import { expectPerson } from '../reading.ts';
import type { Session } from '../session.ts';
import { plainLine, table } from '../table.ts';
import { whoWords } from '../who-can.ts';

/** What is asked about; the API knows which actions there are. */
export interface ExplainFlags {
  readonly action: Explanation['action'];
  readonly person?: string;
}

/** Why somebody may or may not do something: each rule with its answer. Ends like the try itself would. */
export async function explain(session: Session, id: string, { action, person }: ExplainFlags): Promise<ExitCode> {
  const api = session.api();
  const who = person === undefined ? {} : { person: (await expectPerson(api, person)).id };
  const query = { action: action as 'approve', ...who };
  const told = await api.read((options) => explainAction({ ...options, path: { id }, query }));
  session.print(session.json ? JSON.stringify(told) : words(told));
  return told.allowed ? exitCodes.ok : exitCodeOfProblem({ status: 403, code: told.code ?? '' });
}

function words({ person, action, allowed, rules, whoCan }: Explanation): string {
  const name = person.name ?? person.id;
  const who = whoWords(whoCan);
  const rows = rules.map(({ rule, answer, words: said }) => [rule, answer, said]);
  return [
    plainLine(
      allowed ? `${name} can ${action} this now.` : `${name} cannot ${action} this${who === '' ? '' : `; ${who} can`}.`,
    ),
    '',
    table(['rule', 'answer', 'why'], rows),
  ].join('\n');
}
