import { type Contract, runOrderOf } from '@proviso/domain';
import { readCandidateFile } from './candidate-files.ts';
import { codeGaps } from './code-fit.ts';
import { contractFileName, findContract, readContractFile } from './contract-file.ts';
import { type Origin, type OriginFound, recogniseOrigin } from './origin.ts';
import { type Control, type GateOutcome, type GateReason, missedControls } from './outcome.ts';
import { type EvidencePort, putJson } from './ports.ts';
import { excerpt } from './redaction.ts';
import { yamlBytesMax } from './yaml.ts';

/** What is assessed. */
export interface ReadinessInput {
  /** The candidate, materialised. */
  readonly folder: string;
  /** Whether the pinned policy has a gate that builds; without one nothing installs packages or makes pages. */
  readonly builds: boolean;
}

/** What the assessment needs from outside. */
export interface ReadinessPorts {
  readonly evidence: EvidencePort;
  readonly signal: AbortSignal;
}

/** Names that stand where a name was never filled in: nobody is accountable under them. */
const placeholderOwner =
  /^\W*(todo|tbd|fixme|none|nobody|unknown|n\/?a|owner|your[ -]?name|name|me|someone|admin|x+)\W*$/i;

const originNames: Readonly<Record<Origin, string>> = {
  lovable: 'Lovable',
  bolt: 'Bolt',
  v0: 'v0',
  replit: 'Replit',
  coding_agent: 'a coding agent such as Claude or Cursor',
  hand_written: 'people',
  unknown: 'a tool or person that left no mark',
};

/**
 * Asks whether the prototype says enough about itself to be carried on: a complete contract, a named owner, the files
 * that it names, packages that are pinned, a kind that fits. The origin is recorded and blocks nothing.
 */
export async function assessReadiness(input: ReadinessInput, ports: ReadinessPorts): Promise<GateOutcome> {
  const found = await findContract(input.folder);
  ports.signal.throwIfAborted();
  const origin = await recogniseOrigin(input.folder);
  const said = found.ok ? await contractGaps(input.folder, found.contract) : found.reasons;
  const { builds } = input;
  const fit = { contract: found.ok ? found.contract : null, origin: origin.origin, builds };
  const gaps = [...said, ...(await codeGaps(input.folder, fit))];
  ports.signal.throwIfAborted();
  const controls = [incompleteContractControl()];
  const missed = missedControls(controls);
  const contract = found.ok ? summaryOf(found.contract) : null;
  const document = { kind: 'readiness_report', v: 1, contract, origin: originOf(origin), gaps, controls };
  const digest = await putJson(ports.evidence, document);
  const evidence = [{ kind: 'readiness_report', digest }];
  // The origin is told with a pass only: beside a gap it would read as one more thing in the way.
  const made = originReason(origin);
  if (gaps.length > 0) return { verdict: 'fail', reasons: [...gaps, ...missed], evidence, controls };
  if (missed.length > 0) return { verdict: 'inconclusive', reasons: missed, evidence, controls };
  // The owner's name stays out of reasons: they end up in the ledger, which must never hold a person's name.
  const message = `${contractFileName} is complete and names who is accountable`;
  return { verdict: 'pass', reasons: [{ code: 'contract_complete', message }, made], evidence, controls };
}

async function contractGaps(folder: string, contract: Contract): Promise<readonly GateReason[]> {
  const gaps: GateReason[] = [];
  if (placeholderOwner.test(contract.owner)) {
    const message = `${contractFileName} names no owner: expected the name of a person who is accountable, got "${excerpt(contract.owner)}"`;
    gaps.push({ code: 'owner_missing', message, file: contractFileName });
  }
  const { cases } = contract.evaluation;
  const content = await readCandidateFile(folder, { path: cases, sizeBytesMax: yamlBytesMax });
  if ('problem' in content) {
    const why = content.problem === 'missing' ? 'not in the prototype' : `larger than ${yamlBytesMax} bytes`;
    const message = `${contractFileName} names ${excerpt(cases)} under evaluation.cases, which is ${why}; add the file or name the right one`;
    gaps.push({ code: 'file_missing', message, file: contractFileName });
  }
  return gaps;
}

/** A contract without an owner must be refused, or this gate sees nothing. */
function incompleteContractControl(): Control {
  const result = readContractFile('prototype: planted\nrun: {}\n');
  const refused = !result.ok && result.problems.some((problem) => problem.message.startsWith('owner'));
  return { id: 'planted_contract_without_owner', expected: 'refused', observed: refused ? 'refused' : 'accepted' };
}

/** Values of the environment stay out of the evidence: a person may have put a secret there before the scan says so. */
function summaryOf(contract: Contract): object {
  const { prototype, requirements, objective, evaluation, probes, run } = contract;
  const started =
    run.kind === 'static'
      ? { kind: run.kind, root: excerpt(runOrderOf(contract).root ?? '.') }
      : {
          kind: run.kind,
          start: run.start.map((word) => excerpt(word)),
          environmentNames: Object.keys(run.environment),
          secretNames: run.secrets.map(({ name }) => name),
        };
  return {
    prototype,
    requirements: { users: requirements.users, dataClass: requirements.dataClass },
    run: started,
    egress: contract.egress,
    probes: probes.smoke.length,
    cases: evaluation.cases,
    objective,
  };
}

function originOf(found: OriginFound): object {
  return { origin: found.origin, marks: found.marks.map(({ origin, file }) => ({ origin, file: excerpt(file) })) };
}

function originReason(found: OriginFound): GateReason {
  const by = found.marks[0] === undefined ? '' : ` (recognised by ${excerpt(found.marks[0].file)})`;
  return { code: 'origin_recognised', message: `made by ${originNames[found.origin]}${by}` };
}
