import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { testServers } from '@proviso/testkit';
import { openScore } from './score.contract.ts';
import { bundleOf, openStage } from './stage.contract.ts';

// Without protobufjs as a direct dependency of the root this throws "type must be a Type", and no history can be kept.
it('turns a history into JSON and keeps every event', async () => {
  const score = openScore([{ end: 'expired' }]);
  const bundle = await bundleOf('./promotion.workflow.ts');
  const stage = await openStage({
    address: testServers().temporalAddress,
    bundle,
    activities: score.activities,
    name: 'record',
  });
  try {
    const handle = await stage.start();
    expect(await handle.result()).toBe('expired');
    const history = await handle.fetchHistory();
    const json = JSON.parse(historyToJSON(history)) as { events: unknown[] };
    expect(json.events).toHaveLength(history.events?.length ?? -1);
  } finally {
    await stage.close();
  }
}, 60_000);
