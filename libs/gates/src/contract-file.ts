import { type Contract, contractProblems, contractShape } from '@proviso/domain';
import { readCandidateFile } from './candidate-files.ts';
import type { GateReason } from './outcome.ts';
import { excerpt } from './redaction.ts';
import { type YamlProblem, type YamlResult, readYaml, yamlBytesMax } from './yaml.ts';

/** The one file in which a prototype says what it is. */
export const contractFileName = 'proviso.yaml';

/** The contract with the bytes it was read from, or what to mend. */
export type ContractFound =
  | { readonly ok: true; readonly contract: Contract; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reasons: readonly GateReason[] };

/** Reads the text of a contract: its fields and its sense as a whole, each mistake with its place. */
export function readContractFile(source: string | Uint8Array): YamlResult<Contract> {
  return readYaml(source, contractShape, contractProblems);
}

/** Reads the contract of a materialised candidate. The worker uses it too, so that gates and lanes mean the same one. */
export async function findContract(folder: string): Promise<ContractFound> {
  const content = await readCandidateFile(folder, { path: contractFileName, sizeBytesMax: yamlBytesMax });
  if ('problem' in content) {
    const message =
      content.problem === 'missing'
        ? `there is no ${contractFileName}; add one at the top of the prototype that names its owner and says how it is started and tested`
        : `${contractFileName} is larger than ${yamlBytesMax} bytes; keep it to what the documentation lists`;
    return { ok: false, reasons: [{ code: 'contract_missing', message, file: contractFileName }] };
  }
  const result = readContractFile(content.bytes);
  if (!result.ok) return { ok: false, reasons: result.problems.map(reasonOf) };
  return { ok: true, contract: result.value, bytes: content.bytes };
}

function reasonOf({ message, line, column }: YamlProblem): GateReason {
  const words = `${contractFileName}, line ${line}, column ${column}: ${excerpt(message, 300)}`;
  const code = message.startsWith('owner:') ? 'owner_missing' : 'contract_invalid';
  return { code, message: `${words}; change that line`, file: contractFileName, line };
}
