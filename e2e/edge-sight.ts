import type { Stage } from './stage.ts';

/** A release as the edge reports it, the part that an outsider needs. */
export interface SeenRelease {
  readonly release: string;
  readonly state: string;
  readonly reason?: string;
  readonly pid?: number;
  readonly port?: number;
  readonly restarts: number;
  /** What keeps it from everything else; absent where an edge cannot tell. */
  readonly isolation?: string;
}

/** All that an edge runs now. */
export interface EdgeSight {
  readonly lanes: readonly {
    readonly lane: string;
    readonly weightServedPercent: number;
    readonly releases: readonly SeenRelease[];
  }[];
  readonly trials: readonly { readonly host: string; readonly release: SeenRelease }[];
}

/** Asks the edge what it runs. */
export async function seenAtEdge({ control }: Pick<Stage, 'control'>): Promise<EdgeSight> {
  const headers = { authorization: `Bearer ${control.token}` };
  const answer = await fetch(control.url, { headers, signal: AbortSignal.timeout(5_000) });
  return (await answer.json()) as EdgeSight;
}

/** Every release in it, whether in a lane or on trial. */
export function releasesIn({ lanes, trials }: EdgeSight): readonly SeenRelease[] {
  return [...lanes.flatMap(({ releases }) => releases), ...trials.map(({ release }) => release)];
}
