import { type OpenQuestion, type QuestionRegister, type WorkspaceId, uuidOf } from '@proviso/domain';
import type { Row, Session } from './session.ts';
import { type Statement, statement } from './statement.ts';

const askQuestion = statement(
  'question.ask',
  `insert into proviso.question (workspace, id, kind, repository, commit, environment, run, pull)
   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (workspace, id) do nothing returning 1 as asked`,
);

const takeQuestions = statement(
  'question.take',
  `update proviso.question q set retry_at = clock_timestamp() + $3 * interval '1 millisecond'
     from (select id from proviso.question
            where workspace = $1 and answer is null and retry_at <= clock_timestamp()
            order by retry_at limit $2 for update skip locked) as due
    where q.workspace = $1 and q.id = due.id
   returning q.id, q.kind, q.repository, q.commit, q.environment, q.run, q.pull, q.said, q.reports,
     (extract(epoch from clock_timestamp() - q.asked_at) * 1000)::bigint as asked_ago,
     (extract(epoch from clock_timestamp() - q.said_at) * 1000)::bigint as said_ago`,
);

const tellQuestion = statement(
  'question.told',
  `update proviso.question set said = $3, said_at = clock_timestamp(), reports = reports + 1,
     retry_at = clock_timestamp() + $4 * interval '1 millisecond'
    where workspace = $1 and id = $2 and answer is null`,
);

const putOffQuestion = statement(
  'question.put_off',
  `update proviso.question set retry_at = clock_timestamp() + $3 * interval '1 millisecond' where workspace = $1 and id = $2`,
);

const closeQuestion = statement(
  'question.close',
  `update proviso.question set answer = $3 where workspace = $1 and id = $2 and answer is null`,
);

/** Who waits for a word of ours: rows of their own and no entries, since nothing is decided by them. */
export function questionRegister(session: Session, workspace: WorkspaceId): QuestionRegister {
  const write = async (what: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> => {
    const [rows] = await session.transaction(workspace, (transaction) =>
      Promise.all([transaction.run(what, [uuidOf(workspace), ...values]), transaction.commit()]),
    );
    return rows;
  };
  return {
    ask: async ({ id, kind, repository, commit, environment, run, pull }) =>
      (await write(askQuestion, id, kind, repository, commit, environment, run, pull)).length === 1,
    take: async (limit, forMs) => (await write(takeQuestions, limit, forMs)).map(questionIn),
    told: async (id, { said, restMs }) => void (await write(tellQuestion, id, said, restMs)),
    putOff: async (id, forMs) => void (await write(putOffQuestion, id, forMs)),
    close: async (id, answer) => void (await write(closeQuestion, id, answer)),
  };
}

function questionIn(row: Row): OpenQuestion {
  const number = (value: unknown): number | null => (value === null ? null : Number(value));
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    ...{ id: String(row.id), kind: row.kind === 'queue' ? 'queue' : 'rule' },
    ...{ repository: String(row.repository), commit: String(row.commit), environment: text(row.environment) },
    ...{ run: number(row.run), pull: number(row.pull), askedAgoMs: Number(row.asked_ago) },
    ...{ said: text(row.said), saidAgoMs: number(row.said_ago), reports: Number(row.reports) },
  };
}
