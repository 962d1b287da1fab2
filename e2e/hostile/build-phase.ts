import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uploadedCandidate } from '../candidate.ts';
import { openDoor } from '../door.ts';
import { eventually } from '../eventually.ts';
import { type PromotionDocument, registered } from '../journey.ts';
import type { Aims } from './aims.ts';
import { hostileBuildArchive } from './archive.ts';
import type { Attack } from './attack.ts';
import { type Ground, keptBy, leftBy } from './phases.ts';
import { filledOf, forksOf, type Heard, inside, judged, memoryOf, reachingOf } from './siege.ts';

const policy = `policy: hostile-build
environment: production
gates:
  - gate: readiness
  - gate: build
    attemptsMax: 1
  - gate: canary
    weights: [50]
`;

/** Attacks out of builds; what came of them is read from the log, which is stored as evidence. */
export async function buildAttacks(ground: Ground, aims: Aims): Promise<readonly Attack[]> {
  const { driver, folder, families, quick, way } = ground;
  const { stage } = driver;
  const pia = openDoor(stage.apiUrl, stage.cast.people.pia, []);
  const { id } = await pia.post<{ id: string }>('/v1/policies', { source: policy });
  const worker = [stage.parts.worker.pid()];
  await families.look();
  const before = families.of(worker);
  await built(ground, id, 'hostile-build', [
    ['reach', JSON.stringify(aims.wish)],
    ['seize', JSON.stringify([...keptBy(folder), ...inside])],
    ['daemon', ''],
    ...(quick
      ? []
      : ([
          ['fill-disk', ''],
          ['fork-bomb', ''],
        ] as const)),
  ]);
  const phase = 'build';
  const documents = textsIn(stage.evidenceFolder);
  if (!documents.some((text) => text.includes('"build_report"') && text.includes(`"isolation": "${way}"`)))
    throw new Error(`expected builds to be isolated by ${way}, got another way`);
  const reached = (said: ReturnType<typeof saidIn>) =>
    reachingOf(phase, aims, { reached: said('reach'), seized: said('seize') });
  const left = async () => await leftBy(ground, phase, { heads: worker, before });
  if (quick) return [...reached(saidIn(documents)), await left()];
  await built(ground, id, 'greedy-build', [['eat-memory', '']]);
  const poured = await built(ground, id, 'pouring-build', [['flood', '']]);
  const said = saidIn(textsIn(stage.evidenceFolder));
  return [
    ...reached(said),
    filledOf({ phase }, said('fill-disk')),
    forksOf({ phase }, said('fork-bomb')),
    memoryOf({ phase }, { heard: said('eat-memory'), isEnded: false }),
    judged({ phase }, 'output without end', { told: true, held: poured !== null, as: poured ?? 'went on' }),
    await left(),
  ];
}

/** Builds once and tells why that failed; null when it never came to an end. */
async function built(
  { doors, say }: Ground,
  policyId: string,
  name: string,
  scripts: readonly (readonly [string, string])[],
): Promise<string | null> {
  const prototype = await registered(doors, name);
  const archive = hostileBuildArchive(name, scripts);
  const candidate = await uploadedCandidate(doors.bea, { prototype, version: 'v1', archive });
  const { id } = await doors.bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy: policyId });
  const shown = await eventually('the build to end', async () => {
    const found = await doors.bea.get<PromotionDocument>(`/v1/promotions/${id}`);
    return found.state !== 'running' && found.state !== 'queued' && found;
  }).catch(() => null);
  const reason = shown?.gates.find((gate) => gate.name === 'build')?.reasons[0];
  say(`build: ${name}: ${reason?.message.slice(0, shownMax) ?? 'no end'}`);
  return reason?.code ?? null;
}

const shownMax = 160;

function textsIn(evidenceFolder: string): readonly string[] {
  const paths = readdirSync(evidenceFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return paths.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

/** What each script said, from wherever a log is kept. */
function saidIn(texts: readonly string[]): (script: string) => Heard | null {
  return (script) => {
    const line = new RegExp(`^HOSTILE ${script} (".*")$`, 'm');
    const found = texts.flatMap((text) => line.exec(text)?.[1] ?? [])[0];
    return found === undefined ? null : { output: JSON.parse(found), over: true };
  };
}
