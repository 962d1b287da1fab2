import {
  approveBreakGlass,
  approveWaiver,
  askBreakGlass,
  askWaiver,
  delegate as delegateTo,
  endDelegation,
  type Gate,
  retireLane,
  reviewBreakGlass,
} from '@proviso/client';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPerson, expectPrototype, readPromotion } from '../reading.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** What somebody wants to be let pass, for how long, and who answers for it. */
export interface WaiverWish {
  readonly owner: string;
  readonly until: string;
  readonly reason: string;
  /** The number of a finding as the status lists them, from 1; absent: the whole gate. */
  readonly finding?: number;
}

/** Asks that the gate at which a promotion stands still, or one finding of it, be waived for a time. */
export async function wishWaiver(session: Session, id: string, wish: WaiverWish): Promise<ExitCode> {
  const api = session.api();
  const { gates, at, headline } = await readPromotion(api, id);
  const gate = gates.find(({ name }) => name === at);
  if (gate === undefined) throw new Trouble(`expected ${id} to stand at a gate, got: ${headline}`);
  const owner = await expectPerson(api, wish.owner);
  const { until, reason } = wish;
  const finding = wish.finding === undefined ? {} : { finding: findingAt(gate, wish.finding) };
  const body = { owner: owner.id, until, reason, attempt: gate.attempt, ...finding };
  const after = await api.write((options) => askWaiver({ ...options, path: { id: gate.id }, body }));
  const waiver = after.waivers.at(-1)?.id ?? '';
  if (session.json) session.print(JSON.stringify(after));
  else session.print(`Asked for ${waiver}. Another person agrees with \`proviso waiver approve ${id} ${waiver}\`.`);
  return exitCodes.ok;
}

/** Agrees to a waiver that another has asked for. */
export async function agreeToWaiver(session: Session, id: string, waiver: string): Promise<ExitCode> {
  const api = session.api();
  const { gates } = await readPromotion(api, id);
  const gate = gates.find(({ waivers }) => waivers.some((one) => one.id === waiver));
  if (gate === undefined) throw new Trouble(`expected a waiver of ${id}, got ${waiver}`);
  const after = await api.write((options) => approveWaiver({ ...options, path: { id: gate.id }, body: { waiver } }));
  if (session.json) session.print(JSON.stringify(after));
  else
    session.print(after.verdict === 'waived' ? `The gate ${after.name} is waived.` : 'Waived; other findings remain.');
  return exitCodes.ok;
}

/** Asks for, agrees to, or reviews an emergency. All three need a fresh login, so the answer here is where to go. */
export async function breakGlass(
  session: Session,
  id: string,
  order: { readonly step: 'ask' | 'approve' | 'review'; readonly reason: string },
): Promise<ExitCode> {
  const api = session.api();
  const { step, reason } = order;
  const path = { id };
  if (step === 'ask') await api.write((options) => askBreakGlass({ ...options, path, body: { reason } }));
  else if (step === 'review') await api.write((options) => reviewBreakGlass({ ...options, path, body: { reason } }));
  else {
    const { artifactDigest = '' } = (await readPromotion(api, id)).gates[0] ?? {};
    await api.write((options) => approveBreakGlass({ ...options, path, body: { artifactDigest, reason } }));
  }
  const after = await readPromotion(api, id);
  session.print(session.json ? JSON.stringify(after) : after.headline);
  return exitCodes.ok;
}

/** Where a right to vote is given on. */
export interface Handover {
  readonly until: string;
  readonly prototype?: string;
}

/** Lets another person vote in one's stead until a date. */
export async function handOver(session: Session, who: string, { until, prototype }: Handover): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectPerson(api, who);
  const scope = prototype === undefined ? {} : { prototype: (await expectPrototype(api, prototype)).id };
  const person = await api.write((options) => delegateTo({ ...options, path: { id }, body: { until, ...scope } }));
  session.print(session.json ? JSON.stringify(person) : `${name ?? id} votes in your stead until ${until}.`);
  return exitCodes.ok;
}

/** Takes the right back. */
export async function takeBack(session: Session, who: string): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectPerson(api, who);
  const person = await api.write((options) => endDelegation({ ...options, path: { id }, body: {} }));
  session.print(session.json ? JSON.stringify(person) : `${name ?? id} does not vote in your stead any more.`);
  return exitCodes.ok;
}

/** Takes what is live out of service. */
export async function retire(session: Session, name: string, reason: string): Promise<ExitCode> {
  const api = session.api();
  const { lanes } = await expectPrototype(api, name);
  const lane = await api.write((options) =>
    retireLane({ ...options, path: { id: lanes.production }, body: { reason } }),
  );
  session.print(
    session.json ? JSON.stringify(lane) : `${name} is out of service: nobody is served, and the lane is held.`,
  );
  return exitCodes.ok;
}

function findingAt({ name, reasons }: Gate, number: number) {
  const reason = reasons[number - 1];
  if (reason === undefined)
    throw new Trouble(`expected a finding of the ${name} from 1 to ${reasons.length}, got ${number}`);
  const { code, file, line } = reason;
  return { code, ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
}
