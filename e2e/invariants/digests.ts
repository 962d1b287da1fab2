import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from './finding.ts';
import type { Entry, Snapshot } from './snapshot.ts';

/** Documents never change once they are there, so each is read once over all checks of a run. */
const known = new Map<string, { readonly artifact: string | null } | 'missing' | 'altered'>();

/** I3, the documents: whatever a gate passed on lies in the store, unchanged, and speaks of the artifact that was built last. */
export async function digestFindings({ entries }: Snapshot, folder: string): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const artifacts = new Map<string, string>();
  for (const entry of entries) {
    if (entry.kind === 'promotion_opened') artifacts.set(entry.streamId, artifactOf(entry));
    if (entry.kind === 'artifact_built')
      artifacts.set(entry.streamId, (entry.said.body as { artifact: string }).artifact);
    if (entry.kind !== 'gate_reported') continue;
    const { gate, verdict, evidence } = entry.said.body as {
      gate: string;
      verdict: string;
      evidence: readonly { kind: string; digest: string }[];
    };
    const say = (detail: string): void => {
      found.push({ invariant: 'I3', subject: `promotion/${entry.streamId}`, detail: `${gate}: ${detail}` });
    };
    if (verdict === 'pass' && evidence.length === 0) say('expected evidence behind a pass');
    for (const { kind, digest } of evidence) {
      const document = await documentOf(folder, digest);
      if (typeof document === 'string') say(`the ${kind} is ${document}`);
      else if (document.artifact !== null && document.artifact !== artifacts.get(entry.streamId)) {
        say(`the ${kind} is about another artifact`);
      }
    }
  }
  return found;
}

function artifactOf({ said }: Entry): string {
  return (said.body as { candidate: { manifest: { artifact: string } } }).candidate.manifest.artifact;
}

async function documentOf(folder: string, digest: string) {
  const place = `${folder} ${digest}`;
  const seen = known.get(place);
  if (seen !== undefined && seen !== 'missing') return seen;
  const read = await readDocument(folder, digest);
  known.set(place, read);
  return read;
}

async function readDocument(folder: string, digest: string) {
  const hex = digest.replace('sha256:', '');
  const path = join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) return 'missing' as const;
  if (createHash('sha256').update(bytes).digest('hex') !== hex) return 'altered' as const;
  return { artifact: subjectIn(bytes.toString('utf8')) };
}

/** The artifact a report names, when it is a report of ours that names one. */
function subjectIn(text: string): string | null {
  try {
    const { artifact, subject } = JSON.parse(text) as { artifact?: unknown; subject?: { artifact?: unknown } };
    const named = artifact ?? subject?.artifact;
    return typeof named === 'string' ? named : null;
  } catch {
    return null;
  }
}
