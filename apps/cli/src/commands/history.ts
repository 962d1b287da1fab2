import { builtinOf, isId } from '@proviso/domain';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { chainWords, verifyChain } from '../history-chain.ts';
import { type ChainedEntry, readHistory } from '../reading.ts';
import type { Session } from '../session.ts';
import { plainLine, short, table } from '../table.ts';

/** All entries of a promotion; the hash chain is computed here again, not believed. */
export async function history(session: Session, id: string): Promise<ExitCode> {
  const entries = await readHistory(session.api(), id);
  const chain = verifyChain(entries);
  if (session.json) session.print(JSON.stringify({ promotion: id, chain, entries }));
  else session.print([historyTable(entries), ...commentsPart(entries), chainWords(chain)].join('\n\n'));
  return chain.kind === 'broken' ? exitCodes.failed : exitCodes.ok;
}

/** The entries for people: position in the one public order, time, what happened, by whom, start of the hash. */
export function historyTable(entries: readonly ChainedEntry[]): string {
  const rows = entries.map((entry) => [
    String(entry.sequence),
    entry.position === null ? 'pending' : String(entry.position),
    entry.at.slice(11, 23),
    entry.kind,
    detailOf(entry),
    byWhom(entry),
    entry.reason ?? '',
    short(entry.hash),
  ]);
  return table(['no', 'position', 'at (UTC)', 'event', 'what', 'by', 'reason', 'hash'], rows);
}

/** What people and agents have said, whole: a table has no room for it. */
function commentsPart(entries: readonly ChainedEntry[]): readonly string[] {
  const said = entries.filter(({ kind }) => kind === 'commented');
  const lines = said.map((entry) => {
    const at = `${entry.at.slice(0, 10)} ${entry.at.slice(11, 16)}`;
    return `  ${at} ${plainLine(`${byWhom(entry)}: ${entry.reason ?? ''}`)}`;
  });
  return lines.length === 0 ? [] : [['Comments:', ...lines].join('\n')];
}

/** The parts of an event that a person looks for: which gate and try, what came out, which weight. */
function detailOf({ body }: ChainedEntry): string {
  if (typeof body !== 'object' || body === null) return '';
  const told = body as Readonly<Record<string, unknown>>;
  const { gate, attempt, verdict, percent, outcome, decision, n, to, why } = told;
  const voted = typeof decision === 'object' && decision !== null && 'verdict' in decision ? decision.verdict : null;
  const tried = typeof attempt === 'number' && attempt > 1 ? `try ${attempt}` : null;
  const weight = typeof percent === 'number' ? `${percent} %` : null;
  const until = typeof told['until'] === 'number' ? `until ${new Date(told['until']).toISOString()}` : null;
  const reminder = typeof n === 'number' ? `no ${n}` : null;
  return [gate, ...watchParts(told), tried, verdict, voted, weight, outcome, why, to, reminder, until]
    .filter((part) => typeof part === 'string')
    .join(' ');
}

/** A look at what is live: at what, what came of it, what was done, and the sentence behind it. */
function watchParts({ check, standing, action, reasons }: Readonly<Record<string, unknown>>): readonly unknown[] {
  const [first]: readonly unknown[] = Array.isArray(reasons) ? reasons : [];
  const said = typeof first === 'object' && first !== null && 'message' in first ? first.message : null;
  if (typeof check !== 'string') return [];
  const done = typeof action === 'string' ? `${action}:` : null;
  return [
    `watch of ${check}: ${String(standing)}`,
    done,
    standing === 'well' ? null : typeof said === 'string' ? plainLine(said) : null,
  ];
}

/** The machine's own principals have no name in the vault: their role says who they are. */
function byWhom({ by, actsFor, authn }: ChainedEntry): string {
  if (by === null) return 'the machine';
  const builtin = isId('psn', by.id) ? builtinOf(by.id) : undefined;
  const tool = authn?.startsWith(byTool) ? ` by ${authn.slice(byTool.length)}` : '';
  const human = actsFor?.name ?? actsFor?.id;
  const stead = human === undefined ? '' : ` for ${human}`;
  return `${by.name ?? builtin?.bindings[0]?.role ?? by.id}${tool}${stead}`;
}

/** How an entry says that an agent used a tool of ours. */
const byTool = 'token/mcp/';
