import { type ChangeType, changeTypesBetween } from '@proviso/domain';
import type { FolderStore } from '@proviso/evidence';
import { type Manifest, readFrozen } from '@proviso/intake';
import type { PromotionView, Reads } from '@proviso/journal';

/** More names than anybody reads before a decision; the rest is counted. */
const namedMax = 20;

/** What another version would bring to users who are on the live one. */
export interface ChangeSinceLive {
  readonly liveVersion: string;
  /** What differs, as policies tell it: code, model, prompt, flag, data; empty when nothing does or it is not known. */
  readonly types: readonly ChangeType[];
  /** Null when the files of one of them are gone. */
  readonly files: FileChanges | null;
}

/** Files by what happened to them; `named` are the first of them, each with a word. */
export interface FileChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly named: readonly { readonly word: 'new' | 'changed' | 'removed'; readonly path: string }[];
}

/** Compares what is asked for with what serves users, file by file, by digests. Null: nobody is served yet. */
export async function changeSinceLive(
  { store, reads }: { readonly store: FolderStore; readonly reads: Reads },
  { state, production }: PromotionView,
): Promise<ChangeSinceLive | null> {
  const stable = production?.state.stable ?? null;
  if (stable === null) return null;
  const source = stable.source ?? stable.artifact;
  const prototype = await reads.prototype(state.prototype);
  const live = prototype?.state.candidates.find(({ manifest }) => manifest.artifact === source);
  const [before, after] = await Promise.all(
    [source, state.candidate.manifest.artifact].map((digest) => readFrozen(store, digest).catch(() => null)),
  );
  return {
    liveVersion: stable.version,
    types: live === undefined ? [] : changeTypesBetween(live.manifest, state.candidate.manifest),
    files: before == null || after == null ? null : changesBetween(before, after),
  };
}

function changesBetween(before: Manifest, after: Manifest): FileChanges {
  const marks = (manifest: Manifest) =>
    new Map(manifest.files.map((file) => [file.path, `${file.mode} ${file.sha256}`]));
  const [old, now] = [marks(before), marks(after)];
  const added = [...now.keys()].filter((path) => !old.has(path));
  const changed = [...now].filter(([path, mark]) => old.has(path) && old.get(path) !== mark).map(([path]) => path);
  const removed = [...old.keys()].filter((path) => !now.has(path));
  const named = [
    ...changed.map((path) => ({ word: 'changed' as const, path })),
    ...added.map((path) => ({ word: 'new' as const, path })),
    ...removed.map((path) => ({ word: 'removed' as const, path })),
  ];
  return { added: added.length, changed: changed.length, removed: removed.length, named: named.slice(0, namedMax) };
}
