import type { FolderStore } from '@proviso/evidence';
import type { Journal } from '@proviso/journal';
import type { Config } from './config.ts';
import type { EdgeDesk } from './edge-desk.ts';
import type { EventFeed } from './event-feed.ts';
import type { GitHubDesk } from './github/github-desk.ts';
import type { Logger } from './log.ts';
import type { ToolMark } from './mcp/tool-mark.ts';
import type { Metrics } from './metrics.ts';
import type { Provider } from './provider.ts';
import type { RefusalLimit } from './refusal-limit.ts';
import type { RefusalSummary } from './refusal-summary.ts';
import type { SlackDesk } from './slack/slack-desk.ts';
import type { TokenUse } from './token-use.ts';
import type { UploadLimit } from './upload-limit.ts';
import type { WorkloadKeys } from './workload-keys.ts';

/** The one injection token: everything a controller works with, handed over in one object. */
export const PARTS = Symbol('parts');

/** What the API is made of. The clock comes in here, so that tests can hold it. */
export interface Parts {
  readonly config: Pick<
    Config,
    | 'githubApi'
    | 'githubToken'
    | 'gitRoot'
    | 'temporaryFolder'
    | 'timeZone'
    | 'previewKeyHex'
    | 'edgePublicUrl'
    | 'vaultKeyHex'
    | 'workloadIssuers'
    | 'publicUrl'
    | 'oidc'
    | 'webhookReach'
    | 'corsOrigins'
    | 'slack'
    | 'github'
  >;
  readonly journal: Journal;
  readonly store: FolderStore;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly refusals: RefusalLimit;
  readonly summary: RefusalSummary;
  readonly uploads: UploadLimit;
  readonly uses: TokenUse;
  readonly workloadKeys: WorkloadKeys;
  readonly toolMark: ToolMark;
  readonly feed: EventFeed;
  readonly edges: EdgeDesk;
  /** Who people sign in with; null: with their own tokens. */
  readonly provider: Provider | null;
  /** What people do in Slack; null: it is not set up. */
  readonly slack: SlackDesk | null;
  /** What people do at GitHub; null: no App is set up. */
  readonly github: GitHubDesk | null;
  readonly now: () => number;
  /** How often a live stream says that it is alive, and looks whether its reader may still read. */
  readonly heartbeatMs: number;
}
