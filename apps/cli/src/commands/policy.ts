import { readFileSync } from 'node:fs';
import { agreeToPolicy, type PolicyReplay, publishPolicy, readPolicy, replayPolicy, tryPolicy } from '@proviso/client';
import { comparePolicies, type Policy, ruleOf, strengthOf } from '@proviso/domain';
import { readPolicyFile, type YamlProblem } from '@proviso/gates';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPerson, expectPolicy } from '../reading.ts';
import type { Session } from '../session.ts';
import { facts, plainLine, table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Says every mistake of a policy file with line and column; asks nobody. */
export function lint(session: Session, file: string): ExitCode {
  const found = readPolicyFile(read(file));
  const problems: readonly YamlProblem[] = found.ok ? [] : found.problems;
  if (session.json) session.print(JSON.stringify({ file, ok: found.ok, problems }));
  else if (found.ok) session.print(lintedWords(file, found.value));
  else for (const problem of problems) session.print(placed(file, problem));
  return found.ok ? exitCodes.ok : exitCodes.failed;
}

/** Weights that were planned stand nowhere in the file, so they are said here. */
function lintedWords(file: string, policy: Policy): string {
  const canary = ruleOf(policy, 'canary');
  const planned = canary?.ramp === undefined ? '' : `; planned shares: ${canary.weights.join(', ')} % of users`;
  return `${file}: a valid policy named ${policy.name}${planned}`;
}

/** Which fields a file changes of what is published, each weaker, neutral or stronger. */
export async function diff(session: Session, file: string, name: string | undefined): Promise<ExitCode> {
  const draft = draftIn(file);
  const api = session.api();
  const { id } = await expectPolicy(api, name ?? draft.name);
  const { source, version } = await api.read((options) => readPolicy({ ...options, path: { id } }));
  const found = readPolicyFile(source ?? '');
  if (!found.ok) throw new Trouble(`expected the source of ${name ?? draft.name}, got none that can be read`);
  const edits = comparePolicies(found.value, draft);
  const strength = strengthOf(edits);
  if (session.json) session.print(JSON.stringify({ file, version, strength, edits }));
  else if (edits.length === 0) session.print(`${file} decides as version ${version} does.`);
  else {
    const rows = edits.map((edit) => [edit.strength, edit.field, edit.from, edit.to]);
    const advice = strength === 'weaker' ? '\n\nTo publish it takes --reason, --weaker-for and an administrator.' : '';
    session.print(`${table(['strength', 'field', `version ${version}`, 'file'], rows)}${advice}`);
  }
  return exitCodes.ok;
}

/** Could this person approve this promotion if the file were its policy? The rule that says no is named. */
export async function test(
  session: Session,
  file: string,
  { person: who, promotion }: { readonly person: string; readonly promotion: string },
): Promise<ExitCode> {
  const api = session.api();
  draftIn(file);
  const { id: person, name } = await expectPerson(api, who);
  const body = { source: read(file), person, promotion };
  const tried = await api.read((options) => tryPolicy({ ...options, body }));
  if (session.json) session.print(JSON.stringify({ file, person, promotion, ...tried }));
  else if (tried.allowed) {
    const fills = tried.fills.map(({ from, count }) => `${from} (of ${count})`).join(', ');
    const rest = tried.met ? 'that would be enough' : `then missing: ${tried.missing ?? ''}`;
    session.print(
      facts([
        [`${name ?? person} could approve`, rest],
        ['counts for', fills],
      ]),
    );
  } else session.print(`${name ?? person} could not approve: ${tried.message} (${tried.rule ?? tried.code})`);
  return tried.allowed ? exitCodes.ok : exitCodes.notAllowed;
}

/** What the file would have done to past promotions of its name, newest first. */
export async function replay(session: Session, file: string, since: string | undefined): Promise<ExitCode> {
  const api = session.api();
  draftIn(file);
  const body = { source: read(file), ...(since !== undefined && { since: momentOf(since) }) };
  const found = await api.read((options) => replayPolicy({ ...options, body }));
  if (session.json) session.print(JSON.stringify({ file, ...found }));
  else {
    const rows = found.changed.map((one) => [
      one.promotion,
      one.openedAt.slice(0, 10),
      say(one.before),
      say(one.after),
    ]);
    const more = found.whole ? '' : ' (older ones were not looked at)';
    const sum = `${found.changed.length} of ${found.looked} promotions would end otherwise${more}`;
    session.print(rows.length === 0 ? sum : `${table(['promotion', 'opened', 'was', 'would be'], rows)}\n\n${sum}`);
  }
  return exitCodes.ok;
}

/** Publishes a file; a weaker one waits until an administrator agrees. */
export async function publish(
  session: Session,
  file: string,
  { reason, weakerFor }: { readonly reason?: string; readonly weakerFor?: number },
): Promise<ExitCode> {
  const { name } = draftIn(file);
  const weaker = {
    ...(reason !== undefined && { reason }),
    ...(weakerFor !== undefined && { weakerForDays: weakerFor }),
  };
  const body = { source: read(file), ...weaker };
  const policy = await session.api().write((options) => publishPolicy({ ...options, body }));
  const { waiting } = policy;
  if (session.json) session.print(JSON.stringify(policy));
  else if (waiting === null) session.print(`${name}: version ${policy.version} is in force for what is opened now.`);
  else
    session.print(
      `${name}: version ${waiting.version} is weaker and waits; an administrator agrees with \`proviso policy agree ${name}\`.`,
    );
  return exitCodes.ok;
}

/** Agrees to the weaker version that waits, bound to the digest that was read. */
export async function agree(session: Session, name: string, reason: string | undefined): Promise<ExitCode> {
  const api = session.api();
  const { id, waiting } = await expectPolicy(api, name);
  if (waiting === null) throw new Trouble(`expected a weaker version of ${name} that waits, got none`);
  const body = { digest: waiting.digest, ...(reason !== undefined && { reason }) };
  const policy = await api.write((options) => agreeToPolicy({ ...options, path: { id }, body }));
  if (session.json) session.print(JSON.stringify(policy));
  else
    session.print(
      `${name}: version ${policy.version} is in force until ${policy.until?.slice(0, 10) ?? 'it changes'}.`,
    );
  return exitCodes.ok;
}

function draftIn(file: string): Policy {
  const found = readPolicyFile(read(file));
  if (found.ok) return found.value;
  throw new Trouble(`expected a policy in ${file}, got ${found.problems.length} mistakes`, {
    advice: found.problems.map((problem) => placed(file, problem)).join('\n'),
  });
}

function placed(file: string, { line, column, message }: YamlProblem): string {
  return plainLine(`${file}:${line}:${column}: ${message}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Trouble(`expected a file at ${file}, got ${(cause as NodeJS.ErrnoException).code ?? 'nothing'}`, {
      cause,
    });
  }
}

function momentOf(text: string): string {
  const moment = new Date(text);
  if (!Number.isNaN(moment.getTime())) return moment.toISOString();
  throw new Trouble(`expected a date such as 2026-01-31, got ${plainLine(text)}`);
}

function say({ admitted, gate, why }: PolicyReplay['changed'][number]['before']): string {
  return admitted ? 'admitted' : `stopped at ${gate ?? 'a gate'}: ${why ?? ''}`;
}
