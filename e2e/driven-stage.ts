import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from './journey.ts';
import { openStage, type StageOptions } from './stage.ts';
import { openVisitors, type VisitorRequest } from './visitors.ts';

/** A whole deployment with visitors and one policy, for as long as the play lasts; everything is gone afterwards. */
export async function onDrivenStage<T>(
  options: StageOptions & { readonly requests: readonly VisitorRequest[] },
  play: (driver: Driver) => Promise<T>,
): Promise<T> {
  mkdirSync(options.folder, { recursive: true });
  const stage = await openStage(options);
  const visitors = openVisitors(stage.routerUrl, options.requests);
  const [policy] = Object.values(stage.cast.policies);
  try {
    return await play({
      ...{ stage, visitors, ledger: [], journeys: [], signal: new AbortController().signal },
      examples: join(options.projectRoot, 'examples', 'helpdesk'),
      policy: policy?.id ?? '',
      votesHeld: () => false,
    });
  } finally {
    await visitors.stop();
    await stage.close();
  }
}
