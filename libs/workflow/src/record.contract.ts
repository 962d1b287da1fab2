import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startTemporal } from '@proviso/testkit';
import { bundleOf } from './stage.contract.ts';
import { stories, tell } from './stories.contract.ts';

/** Tells every story on a fresh server under the product's own queue names and answers the histories as JSON. */
export async function recordHistories(): Promise<readonly { name: string; json: string; outcome: string }[]> {
  const server = await startTemporal();
  try {
    const bundle = await bundleOf('./index.ts');
    const recorded = [];
    for (const story of stories) {
      const { history, outcome } = await tell(story, { address: server.address, bundle });
      if (outcome !== story.outcome) throw new Error(`expected ${story.name} to end ${story.outcome}, got ${outcome}`);
      recorded.push({
        name: story.name,
        outcome,
        json: `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`,
      });
    }
    return recorded;
  } finally {
    await server.stop();
  }
}
