import type { ManifestPart } from './candidate.ts';

/** A file of a candidate, as far as it matters to which part it belongs. */
export interface FileOfPart {
  readonly path: string;
  readonly mode: 'file' | 'executable';
}

/**
 * Where each part but the code lies: in a folder of one of these names, at any depth, and in a form that is read and not
 * run. The rule is ours and no field of the contract: a builder who could call code a prompt could choose which gates
 * look at it. Whatever fits nowhere is code.
 */
const places: readonly {
  readonly part: ManifestPart;
  readonly folders: readonly string[];
  readonly ends: readonly string[];
}[] = [
  { part: 'prompt', folders: ['prompt', 'prompts'], ends: ['md', 'txt', 'prompt', 'json', 'yaml', 'yml'] },
  {
    ...{ part: 'model', folders: ['model', 'models'] },
    ends: ['json', 'yaml', 'yml', 'toml', 'onnx', 'gguf', 'safetensors'],
  },
  { part: 'configuration', folders: ['flag', 'flags', 'feature-flags'], ends: ['json', 'yaml', 'yml', 'toml'] },
  { part: 'schema', folders: ['data', 'migrations', 'seeds'], ends: ['sql', 'csv', 'json', 'jsonl', 'ndjson'] },
];

/** Files that tell a runtime or an installer what to do, wherever they lie. */
const steering =
  /^(package(-lock)?|npm-shrinkwrap|tsconfig.*|jsconfig|.*\.config|composer|deno)\.jsonc?$|^requirements.*\.txt$/;

/** The part that a file belongs to. */
export function partOfFile({ path, mode }: FileOfPart): ManifestPart {
  const folders = path.toLowerCase().split('/');
  const name = folders.pop() ?? '';
  if (mode === 'executable' || steering.test(name)) return 'code';
  const end = name.slice(name.lastIndexOf('.') + 1);
  const found = places.find(
    ({ folders: named, ends }) => folders.some((one) => named.includes(one)) && ends.includes(end),
  );
  return found?.part ?? 'code';
}
