import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findChromium } from '@proviso/testkit';
import { launch, type Page } from 'puppeteer-core';
import { packed, uploadedCandidate } from '../candidate.ts';
import { type Door, openDoor } from '../door.ts';
import { eventually } from '../eventually.ts';
import type { Order } from '../order.ts';
import { openStage, type Stage } from '../stage.ts';
import { type Line, openLine } from './line.ts';
import { openSite } from './site.ts';

/** What the page showed, at each of the moments that matter. */
export interface PortalResult {
  readonly offlineMs: number;
  readonly shown: Readonly<Record<'before' | 'changed' | 'offline' | 'caughtUp', Shown>> | null;
  /** What the page had seen last when the line was cut, and what it asked for when it was back. */
  readonly wentOn: { readonly behind: string; readonly asked: readonly string[] } | null;
  /** How long a vote took to be seen. */
  readonly seenWithinMs: number;
  readonly reloads: number;
  readonly impossible: string | null;
  readonly passed: boolean;
}

/** What a visitor sees. */
export interface Shown {
  readonly headline: string;
  readonly state: string;
  readonly line: string;
  /** Kinds of what happened, the newest first. */
  readonly entries: readonly string[];
  /** The id of the newest of them. */
  readonly newestId: string;
}

/** As long as the sentence says; the quick one is as truly offline. */
const offlineMs = { full: 30_000, quick: 4_000 };

const policy = `policy: embedded
gates:
  - gate: approval
    requirements: [{ from: group/security, count: 1 }, { from: group/product, count: 1 }]
    expires: 1h
  - gate: canary
    weights: [50]
`;

/** A page of somebody's own in a real browser: it changes as the promotion does, goes offline, and catches up. */
export async function portal({ projectRoot, quick, say }: Order): Promise<PortalResult> {
  const executablePath = findChromium();
  const offline = quick ? offlineMs.quick : offlineMs.full;
  if (executablePath === null) return nothingSeen(offline, 'there is no chromium on this machine');
  const folder = mkdtempSync(join(tmpdir(), 'proviso-portal-'));
  const site = await openSite(projectRoot, folder);
  const stageFolder = join(folder, 'stage');
  mkdirSync(stageFolder);
  const apiEnvironment = { PROVISO_CORS_ORIGINS: site.origin };
  const order = { codeRoot: projectRoot, projectRoot, folder: stageFolder, policy, apiEnvironment };
  const stage = await openStage({ ...order, without: ['edge'] });
  const line = await openLine(Number(new URL(stage.apiUrl).port));
  const browser = await launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    await page.goto(site.origin);
    say('the page is open');
    const watched = await watch({ page, stage, line, offline, say });
    return { offlineMs: offline, ...watched, impossible: null, passed: isPassed(watched) };
  } finally {
    await browser.close();
    await line.close();
    await stage.close();
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A few lines for people. */
export function portalText({
  shown,
  wentOn,
  seenWithinMs,
  reloads,
  offlineMs: ms,
  impossible,
  passed,
}: PortalResult): string {
  if (shown === null || wentOn === null) return `not looked at: ${impossible ?? 'nothing was seen'}`;
  return [
    ...Object.entries(shown).map(
      ([when, { headline, line, entries }]) => `${when.padEnd(10)} ${headline} | ${line} | ${entries.join(', ')}`,
    ),
    `a vote was seen within ${seenWithinMs} ms; offline for ${ms} ms; went on behind ${wentOn.behind}; reloads ${reloads}`,
    passed ? 'passed' : 'FAILED',
  ].join('\n');
}

type Watched = Pick<PortalResult, 'shown' | 'wentOn' | 'seenWithinMs' | 'reloads'>;

interface Watching {
  readonly page: Page;
  readonly stage: Stage;
  readonly line: Line;
  readonly offline: number;
  readonly say: (line: string) => void;
}

async function watch({ page, stage, line, offline, say }: Watching): Promise<Watched> {
  const { people } = stage.cast;
  const [bea, sam, olga] = [people.bea, people.sam, people.olga].map((one) => openDoor(stage.apiUrl, one, []));
  if (bea === undefined || sam === undefined || olga === undefined) throw new Error('expected the cast, got nobody');
  const promotion = await opened(bea, stage);
  const { token } = await sam.post<{ token: string }>('/v1/me/tokens', { scopes: ['read'] });
  let loads = 0;
  page.on('load', () => void (loads += 1));
  await page.type('input[name=api]', line.url);
  await page.type('input[name=token]', token);
  await page.type('input[name=promotion]', promotion);
  await page.click('button');
  const before = await shownWhen(page, ({ line: told, headline }) => told === 'live' && headline !== '');
  const votedMs = performance.now();
  await vote(sam, promotion, 'approve');
  const changed = await shownWhen(
    page,
    ({ entries, headline }) => entries.includes('decision recorded') && headline !== before.headline,
  );
  const seenWithinMs = Math.round(performance.now() - votedMs);
  await keep(page, 'portal-live');
  const { newestId: behind } = changed;
  await line.cut();
  say('the line is cut');
  await shownWhen(page, ({ line: told }) => told !== 'live');
  await vote(olga, promotion, 'reject');
  await pause(offline);
  const atEnd = await shownNow(page);
  await keep(page, 'portal-offline');
  const asked = line.lastEventIds.length;
  await line.mend();
  say('the line is back');
  const caughtUp = await shownWhen(page, ({ entries }) => entries.includes('promotion ended'));
  const settled = await shownWhen(page, ({ state }) => state === 'rejected').catch(() => caughtUp);
  await keep(page, 'portal');
  return {
    shown: { before, changed, offline: atEnd, caughtUp: settled },
    wentOn: { behind, asked: line.lastEventIds.slice(asked) },
    seenWithinMs,
    reloads: loads,
  };
}

/** Two things happened offline, so both are there, once each, and no sooner. */
function isPassed({ shown, wentOn, reloads }: Watched): boolean {
  if (shown === null || wentOn === null) return false;
  const { before, changed, offline, caughtUp } = shown;
  const once = (kind: string): boolean => caughtUp.entries.filter((one) => one === kind).length === 1;
  const decisions = caughtUp.entries.filter((one) => one === 'decision recorded').length;
  return (
    [before, changed, offline].every(({ state }) => state === 'waiting_for_human') &&
    changed.entries.length === 1 &&
    offline.entries.length === 1 &&
    offline.line !== 'live' &&
    caughtUp.state === 'rejected' &&
    decisions === 2 &&
    once('promotion ended') &&
    wentOn.asked.includes(wentOn.behind) &&
    reloads === 0
  );
}

async function opened(bea: Door, stage: Stage): Promise<string> {
  const { id: prototype } = await bea.post<{ id: string }>('/v1/prototypes', { name: 'help-desk' });
  const archive = packed({ 'main.mjs': '// shown to others\n' });
  const candidate = await uploadedCandidate(bea, { prototype, version: 'v1', archive });
  const id = stage.cast.policies['embedded']?.id;
  return (await bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy: id })).id;
}

async function vote(door: Door, promotion: string, verdict: 'approve' | 'reject'): Promise<void> {
  const gate = `/v1/gates/gate_${promotion.slice('prm_'.length)}-approval`;
  const shown = await eventually('an open gate', async () => {
    const found = await door.get<Record<'artifactDigest' | 'evidenceDigest', string | null>>(gate);
    return found.evidenceDigest === null ? null : found;
  });
  const { artifactDigest, evidenceDigest } = shown;
  await door.post(`${gate}/decisions`, {
    verdict,
    artifactDigest,
    evidenceDigest,
    ...(verdict === 'reject' && { reason: 'not yet' }),
  });
}

/** Read in the page, whose world this code is not of. */
const reading = `(() => {
  const text = (id) => document.getElementById(id)?.textContent ?? '';
  const entries = [...document.querySelectorAll('#entries li')].map((item) => item.dataset.kind.replaceAll('_', ' '));
  const newestId = document.querySelector('#entries li')?.dataset.id ?? '';
  const state = document.getElementById('promotion')?.dataset.state ?? '';
  return { headline: text('headline'), line: text('line'), state, entries, newestId };
})()`;

async function shownNow(page: Page): Promise<Shown> {
  return (await page.evaluate(reading)) as Shown;
}

async function shownWhen(page: Page, holds: (shown: Shown) => boolean): Promise<Shown> {
  return await eventually('the page to change', async () => {
    const shown = await shownNow(page);
    return holds(shown) ? shown : null;
  });
}

/** Keeps what was seen where somebody wants to look at it. */
async function keep(page: Page, name: string): Promise<void> {
  const folder = process.env['PROVISO_SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

function nothingSeen(ms: number, impossible: string): PortalResult {
  const nothing = { shown: null, wentOn: null, seenWithinMs: 0, reloads: 0 };
  return { offlineMs: ms, ...nothing, impossible, passed: false };
}
