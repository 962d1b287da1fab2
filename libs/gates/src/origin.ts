import { listFiles, readCandidateFile, textOf } from './candidate-files.ts';

/** Where a prototype was made. `hand_written` needs marks of a team; without any mark it is `unknown`. */
export type Origin = 'lovable' | 'bolt' | 'v0' | 'replit' | 'coding_agent' | 'hand_written' | 'unknown';

/** The origin and the files that tell it. */
export interface OriginFound {
  readonly origin: Origin;
  readonly marks: readonly { readonly origin: Origin; readonly file: string }[];
}

interface Fingerprint {
  readonly origin: Origin;
  readonly path: RegExp;
  /** What the file must hold; without it the file's presence is the mark. */
  readonly content?: RegExp;
}

/**
 * Marks that the generators leave, most telling first: an export of Lovable that was later edited with an agent is
 * still Lovable's. Generators change; a mark that is gone only makes the origin unknown.
 */
const fingerprints: readonly Fingerprint[] = [
  { origin: 'lovable', path: /^package\.json$/, content: /"lovable-tagger"|"vite_react_shadcn_ts"/ },
  { origin: 'lovable', path: /^vite\.config\.[cm]?[jt]s$/, content: /componentTagger/ },
  { origin: 'lovable', path: /^index\.html$/, content: /cdn\.gpteng\.co/ },
  { origin: 'bolt', path: /^\.bolt\/(config\.json|prompt)$/ },
  { origin: 'v0', path: /^(src\/)?app\/layout\.[jt]sx$/, content: /generator:\s{0,4}['"]v0\.(dev|app)['"]/ },
  { origin: 'replit', path: /^(\.replit|replit\.nix|replit\.md)$/ },
  { origin: 'coding_agent', path: /^(CLAUDE\.md|AGENTS\.md|\.claude\/.+|\.cursor\/rules(\/.+)?|\.cursorrules)$/ },
  { origin: 'hand_written', path: /^(CONTRIBUTING\.md|\.editorconfig|CODEOWNERS|\.github\/CODEOWNERS)$/ },
];

/** These files are small; a larger one is none of the marks. */
const markBytesMax = 256 * 1024;
/** One agent folder can hold hundreds of rules; a few prove the origin. */
const marksMax = 20;

/** Recognises the tool that made a prototype by the marks it leaves. */
export async function recogniseOrigin(folder: string): Promise<OriginFound> {
  const { paths } = await listFiles(folder);
  const marks: { origin: Origin; file: string }[] = [];
  for (const { origin, path, content } of fingerprints) {
    for (const file of paths.filter((each) => path.test(each))) {
      if (marks.length < marksMax && (await holds(folder, { file, content }))) marks.push({ origin, file });
    }
  }
  return { origin: marks[0]?.origin ?? 'unknown', marks };
}

async function holds(
  folder: string,
  mark: { readonly file: string; readonly content: RegExp | undefined },
): Promise<boolean> {
  if (mark.content === undefined) return true;
  const found = await readCandidateFile(folder, { path: mark.file, sizeBytesMax: markBytesMax });
  return 'bytes' in found && mark.content.test(textOf(found.bytes) ?? '');
}
