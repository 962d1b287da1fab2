import type { Promotion } from '@proviso/client';
import { follow, isOverOrStuck } from '../follow.ts';
import { promoteFolder } from '../promoting.ts';
import { readPromotion } from '../reading.ts';
import { plainLine } from '../table.ts';
import type { Cast } from './cast.ts';
import { type DemoScript, type DemoVersion, folderOf } from './script.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** What a journey needs from outside. */
export interface JourneyStage {
  readonly script: DemoScript;
  readonly cast: Cast;
  readonly routerUrl: string;
  readonly vote: (promotion: Promotion) => Promise<void>;
  readonly say: (line: string) => void;
  readonly now: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The slowest version takes about half a minute; a machine under load has needed three times that. */
const JOURNEY_TIMEOUT_MS = 120_000;
/** Quicker than usual: the demo's looks are under a second apart. */
const POLL_MS = 250;

/** Carries one version as far as it comes: people decide, users send requests while a canary is watched. */
export async function travel(stage: JourneyStage, version: DemoVersion): Promise<Promotion> {
  const { cast, script } = stage;
  const { promotion } = await promoteFolder(
    cast.builder,
    { folder: folderOf(script, version), version: version.folder, policy: script.policyName },
    stage.say,
  );
  let traffic: Traffic | null = null;
  let told = '';
  try {
    return await follow(() => readPromotion(cast.builder, promotion.id), {
      until: isOverOrStuck,
      timeoutMs: JOURNEY_TIMEOUT_MS,
      pollMs: POLL_MS,
      signal: stage.signal,
      look: async (found) => {
        const line = `${version.folder}: ${plainLine(found.headline)}`;
        // The sample size changes at each look; only a new state is worth a line that stays.
        const state = `${found.state} ${found.at} ${found.canary.weight}`;
        if (state === told) stage.now(line);
        else stage.say(line);
        told = state;
        if (found.state === 'canary' && found.lane !== null) {
          traffic ??= startTraffic({ routerUrl: stage.routerUrl, host: found.lane.host, ...script.traffic });
        }
        await stage.vote(found);
      },
    });
  } finally {
    await endTraffic(traffic, stage.say);
  }
}

async function endTraffic(traffic: Traffic | null, say: (line: string) => void): Promise<void> {
  if (traffic === null) return;
  const { sent, failed, turnedAway } = await traffic.stop();
  const away = turnedAway === 0 ? '' : `, ${turnedAway} were told that it is not open yet`;
  say(`users sent ${sent} requests, ${failed} failed${away}`);
}
