import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { mayRead } from '@proviso/authority';
import type { BrowserSessions, EntryView, LogView } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { queries } from './forms.ts';
import { unanswered } from './guard.ts';
import { PARTS, type Parts } from './parts.ts';
import { queryOf } from './parsing.ts';

/** Bytes that may wait for a slow reader before it is cut off; it comes back with the last id it saw. */
const queueBytesMax = 1_048_576;

/** Live entries as server-sent events. */
@Controller('v1/events')
export class EventsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async follow(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const { workspace, reads, person } = caller;
    const { sessions } = this.#parts.journal;
    const log = await reads.log();
    const asked = positionIn(request.headers['last-event-id'], log);
    const stream = reply.raw;
    const leave = this.#parts.feed.follow(workspace, asked ?? log.last, {
      person: person.id,
      take: (entries) => write(stream, entries.map((entry) => eventOf(entry, log)).join('')),
      end: () => void stream.end(),
    });
    reply.hijack();
    stream.writeHead(200, {
      ...(reply.getHeaders() as OutgoingHttpHeaders),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A proxy that collects answers before it passes them on would hold back every event.
      'x-accel-buffering': 'no',
    });
    stream.write(': connected\n\n');
    if (asked === null) stream.write(`event: reset\nid: ${log.incarnation}.${log.last}\ndata: {}\n\n`);
    const heart = setInterval(() => void beat(stream, { caller, log, sessions }), this.#parts.heartbeatMs);
    const stop = (): void => {
      clearInterval(heart);
      leave();
    };
    stream.on('error', () => stream.destroy());
    stream.on('close', stop);
    // Whoever went away while we looked up the position has closed already, and no event will come.
    if (stream.destroyed) stop();
  }
}

interface Beat {
  readonly caller: Caller;
  readonly log: LogView;
  readonly sessions: BrowserSessions;
}

/** Whether what the reader came with is still good. */
async function stillHolds(caller: Caller, sessions: BrowserSessions): Promise<boolean> {
  const {
    reads,
    person: { id },
    token,
    session,
  } = caller;
  if ((await unanswered(caller)) !== null) return false;
  if (session !== null) return (await sessions.find(session.hash)) !== null;
  return (await reads.person(id))?.tokens.some((held) => held.id === token) === true;
}

/**
 * Keeps the line open as long as its reader may read, and as long as it is the log that it began with: a lost right or a
 * revoked token ends it within one beat, and so does a database that was put back under us; then the reader comes back
 * and is told to reset.
 */
async function beat(stream: ServerResponse, { caller, log, sessions }: Beat): Promise<void> {
  const {
    reads,
    person: { id },
  } = caller;
  try {
    const [person, now, holds] = await Promise.all([reads.person(id), reads.log(), stillHolds(caller, sessions)]);
    if (person === null || !holds || !mayRead(person) || now.incarnation !== log.incarnation) stream.end();
    else write(stream, ': alive\n\n');
  } catch {
    // The database is away: nothing new can be read either, so the line may stay until it is back.
    write(stream, ': alive\n\n');
  }
}

/**
 * Where to go on: from now on when nothing was said, after the named position, or null when that position belongs to
 * another log or lies in its future: the client must read everything anew.
 */
function positionIn(header: string | string[] | undefined, { incarnation, last }: LogView): number | null {
  if (header === undefined || header === '') return last;
  const found = /^([0-9A-Za-z]{1,32})\.(\d{1,15})$/.exec(String(header));
  if (found === null || found[1] !== incarnation) return null;
  const position = Number(found[2]);
  return position <= last ? position : null;
}

/** No body: what happened is read where it is shown, by whoever may read it. */
function eventOf({ position, stream, streamId, sseq, kind, at }: EntryView, { incarnation }: LogView): string {
  const data = JSON.stringify({ position, stream, streamId, sequence: sseq, kind, at });
  return `event: entry\nid: ${incarnation}.${position}\ndata: ${data}\n\n`;
}

function write(stream: ServerResponse, text: string): boolean {
  if (stream.destroyed || stream.writableEnded) return false;
  stream.write(text);
  if (stream.writableLength <= queueBytesMax) return true;
  stream.destroy();
  return false;
}
