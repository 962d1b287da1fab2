import type { KnownBlock } from '@slack/types';
import { type Bulletin, isAsking } from '../bulletin.ts';
import { inert, quoted } from '../inert.ts';
import { askButtons, rollBackButton } from './button.ts';
import { type Topic, topicOf } from './copy.ts';
import { paragraph, plain } from './text.ts';

/** A message as Slack takes it. `text` is what a notification and a screen reader say. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
  /** Also shown outside of its thread. */
  readonly broadcast: boolean;
}

/** A headline with the longest reason of a gate in it. */
const headlineMax = 600;

/** Paths that are shown; the rest is counted, and stands on the page. */
const pathsMax = 8;

/** What a copy says, given how its promotion stands; null: nothing any more. Whoever calls this twice gets the same. */
export function slackMessage(
  copy: { readonly key: string; readonly token: string },
  bulletin: Bulletin,
): SlackMessage | null {
  const topic = topicOf(copy.key);
  switch (topic?.kind) {
    case undefined:
      return null;
    case 'parent':
      return parentMessage(copy.token, bulletin);
    case 'ask':
      return askMessage(copy.token, topic, bulletin);
    case 'step':
      return stepMessage(topic, bulletin);
    case 'reminder':
    case 'escalation':
      return clockMessage(topic, bulletin);
  }
}

function titleOf({ prototype, version }: Bulletin): string {
  return `${quoted(prototype)} ${inert(version, 64)}`;
}

function parentMessage(token: string, bulletin: Bulletin): SlackMessage {
  const title = `${titleOf(bulletin)} to production`;
  const headline = inert(bulletin.headline, headlineMax);
  const blocks: KnownBlock[] = [
    { type: 'header', text: plain(inert(title, 150)) },
    paragraph(headline),
    ...changeBlocks(bulletin),
    ...checkBlocks(bulletin),
    linksOf(bulletin),
    ...(bulletin.canRollBack ? [rollBackButton(token)] : []),
  ];
  return { text: `${title}: ${headline}`, blocks, broadcast: false };
}

function askMessage(token: string, { attempt }: { readonly attempt: number }, bulletin: Bulletin): SlackMessage {
  const { ask } = bulletin;
  const title = titleOf(bulletin);
  if (!isAsking(ask) || ask.attempt !== attempt) {
    // Nothing that comes and goes with later gates: what was answered stands as it is.
    const text = `${title}: ${answered(attempt, bulletin)}`;
    return { text, blocks: [paragraph(text), linkRow([pageLink(bulletin)])], broadcast: true };
  }
  const text = `Promote ${title} to production? ${inert(bulletin.headline, headlineMax)}`;
  const { artifact, evidenceDigest } = ask.bound;
  const digests = `Bound to files ${shortOf(artifact)}, evidence ${shortOf(evidenceDigest)}, attempt ${attempt}.`;
  const blocks: KnownBlock[] = [
    paragraph(text),
    ...changeBlocks(bulletin),
    ...checkBlocks(bulletin),
    { type: 'context', elements: [plain(digests)] },
    linksOf(bulletin),
    askButtons({ token, attempt, ...ask.bound }, { ask, page: bulletin.links.page }),
  ];
  return { text, blocks, broadcast: true };
}

/** How an asking ended, in words that do not change with what comes after it. */
function answered(attempt: number, { ask, standing, headline }: Bulletin): string {
  if (ask === null || ask.attempt > attempt) return 'this asking was replaced: the gate was opened anew.';
  switch (ask.status) {
    case 'passed':
      return ask.isGlassBroken ? 'passed by a broken glass: nobody has approved it.' : 'approved.';
    case 'changes_requested':
      return 'an approver asked for changes.';
    case 'expired':
      return 'nobody answered in time: not approved.';
    case 'rejected':
      return 'rejected: not approved.';
    default:
      return standing === 'superseded' ? 'superseded by a newer version.' : inert(headline, headlineMax);
  }
}

function stepMessage(topic: Extract<Topic, { kind: 'step' }>, { checks }: Bulletin): SlackMessage | null {
  const check = checks.find(({ gate, attempt }) => gate === topic.gate && attempt === topic.attempt);
  if (check === undefined) return null;
  const text = `${capital(check.gate)}: ${check.status}. ${inert(check.words, headlineMax)}`.trim();
  return { text, blocks: [paragraph(text)], broadcast: false };
}

function clockMessage(
  topic: Extract<Topic, { kind: 'reminder' | 'escalation' }>,
  bulletin: Bulletin,
): SlackMessage | null {
  const { ask } = bulletin;
  if (!isAsking(ask) || ask.attempt !== topic.attempt) return null;
  const why = topic.kind === 'reminder' ? 'Reminder' : `Escalated to ${groupOf(ask.escalatedTo ?? '')}`;
  const text = `${why}: ${titleOf(bulletin)}. ${inert(bulletin.headline, headlineMax)}`;
  return { text, blocks: [paragraph(text)], broadcast: true };
}

function changeBlocks({ change }: Bulletin): readonly KnownBlock[] {
  if (change === null) return [paragraph('Nobody is served yet: this would be the first version.')];
  const { liveVersion, types, files } = change;
  const other = types.length === 0 ? '' : ` Other than live: ${types.join(', ')}.`;
  const live = `Users are on ${inert(liveVersion, 64)}.${other}`;
  if (files === null) return [paragraph(`${live} Its files are not kept any more, so they cannot be compared.`)];
  const counts = `${files.changed} ${files.changed === 1 ? 'file' : 'files'} changed, ${files.added} new, ${files.removed} removed.`;
  const named = files.named.slice(0, pathsMax).map(({ word, path }) => `${word}: ${inert(path)}`);
  const rest = files.added + files.changed + files.removed - named.length;
  const lines = [...named, ...(rest > 0 && named.length > 0 ? [`and ${rest} more`] : [])];
  const list: readonly KnownBlock[] =
    lines.length === 0 ? [] : [{ type: 'context', elements: [plain(lines.join('\n'))] }];
  return [paragraph(`${live} ${counts}`), ...list];
}

function checkBlocks({ checks }: Bulletin): readonly KnownBlock[] {
  if (checks.length === 0) return [];
  const lines = checks.map(({ gate, status, words, live }) => {
    const before = live === null ? '' : ` (live: ${inert(live)})`;
    return `${capital(gate)}: ${status.replaceAll('_', ' ')}${words === '' ? '' : `. ${inert(words)}`}${before}`;
  });
  return [paragraph(lines.join('\n'))];
}

function linksOf(bulletin: Bulletin): KnownBlock {
  const { links, checks } = bulletin;
  const evidence = checks.flatMap((check) =>
    check.evidence.map(({ kind, url }) => link(url, kind.replaceAll('_', ' '))),
  );
  const preview = links.preview === null ? [] : [link(links.preview, 'preview')];
  return linkRow([pageLink(bulletin), ...preview, ...evidence.slice(0, 12)]);
}

function pageLink({ links }: Bulletin): string {
  return link(links.page, 'all of it');
}

/** The only formatted text: addresses and words of ours, and nothing of a stranger's. */
function linkRow(links: readonly string[]): KnownBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text: links.join(' · '), verbatim: true }] };
}

/** A kind of evidence may be a stranger's word, so in a link only its letters and digits are left. */
function link(url: string, words: string): string {
  const letters = inert(words, 40)
    .replaceAll(/[^\p{L}\p{N} -]+/gu, ' ')
    .trim();
  const address = new URL(url).href.replaceAll('|', '%7C').replaceAll('>', '%3E');
  return `<${address}|${letters === '' ? 'document' : letters}>`;
}

/** The group or role as people say it. */
export function groupOf(from: string): string {
  return capital(inert(from.slice(from.indexOf('/') + 1).replaceAll('-', ' ')));
}

function capital(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

function shortOf(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
