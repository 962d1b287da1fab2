import { folderStore } from '@proviso/evidence';
import type { Journal } from '@proviso/journal';
import type { Config } from './config.ts';
import { openEdgeDesk } from './edge-desk.ts';
import { openEventFeed } from './event-feed.ts';
import { openGitHubDesk } from './github/github-desk.ts';
import { type Logger, breakageOf } from './log.ts';
import { openToolMark } from './mcp/tool-mark.ts';
import { openMetrics } from './metrics.ts';
import type { Parts } from './parts.ts';
import { openProvider } from './provider.ts';
import { openRefusalLimit } from './refusal-limit.ts';
import { openRestoredLanes } from './restored-lanes.ts';
import { openRefusalSummary } from './refusal-summary.ts';
import { openSlackDesk } from './slack/slack-desk.ts';
import { openTokenUse } from './token-use.ts';
import { openUploadLimit } from './upload-limit.ts';
import { openWorkloadKeys } from './workload-keys.ts';

/** Proxies close what is silent; most wait 30 s or more. */
const heartbeatMs = 15_000;

/** The whole dependency graph as plain statements. */
export function assemble(config: Parts['config'] & Pick<Config, 'evidence'>, journal: Journal, log: Logger): Parts {
  const store = folderStore(config.evidence);
  const now = Date.now;
  const beforeChannels = {
    config,
    journal,
    store,
    log,
    metrics: openMetrics(),
    refusals: openRefusalLimit(now),
    summary: openRefusalSummary({
      record: journal.recordAtDoor,
      onError: (error) => log.error(breakageOf(error), 'refusals could not be summed up'),
      now,
    }),
    uploads: openUploadLimit(),
    uses: openTokenUse(journal, now),
    workloadKeys: openWorkloadKeys(config.workloadIssuers, now),
    toolMark: openToolMark(),
    feed: openEventFeed(journal, (error) => log.error(breakageOf(error), 'the event feed could not read')),
    edges: openEdgeDesk({ store, log, restored: openRestoredLanes({ journal, log, now }) }),
    provider: config.oidc === null ? null : openProvider(config.oidc, config.publicUrl),
    now,
    heartbeatMs,
  };
  const slack = config.slack === null ? null : openSlackDesk(beforeChannels, config.slack);
  const github = config.github === null ? null : openGitHubDesk(beforeChannels, config.github);
  return { ...beforeChannels, slack, github };
}
