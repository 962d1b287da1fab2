import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnswerHeaders, Upstream } from '@proviso/targets';
import { visitorHeadersOf } from './headers.ts';
import { GOING_AWAY_FRAME, watchFrames } from './web-socket.ts';

/** Two sockets that have become one WebSocket, of a visitor and of a release. */
export interface Tunnel {
  readonly visitor: Socket;
  readonly release: Duplex;
  /** What came behind the visitor's handshake already. */
  readonly early: Buffer;
  readonly upstream: Upstream;
  /** The fields of the release's 101, and our cookie for it. */
  readonly headers: AnswerHeaders;
  readonly cookie: string | null;
  readonly idleMs: number;
  /** The release broke it off. */
  readonly onBroken: () => void;
  readonly onOver: () => void;
}

// A visitor who does not take our goodbye is not waited for.
const GOODBYE_MS = 1_000;

/**
 * Passes both ways until one side ends, nobody says anything for too long, or the release goes: then the visitor is told
 * "going away" between two frames, so that its reconnecting begins at once. Everything is bounded by backpressure.
 */
export function openTunnel(tunnel: Tunnel): void {
  const { visitor, release } = tunnel;
  const [said, heard] = [watchFrames(), watchFrames()];
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    left();
    tunnel.onOver();
    release.destroy();
    // What the release said last is still on its way to the visitor.
    visitor.end();
    setTimeout(() => visitor.destroy(), GOODBYE_MS).unref();
  };
  const leave = (): void => {
    if (isOver) return;
    release.unpipe(visitor);
    if (said.isBetween() && !said.hasClosed()) visitor.write(GOING_AWAY_FRAME);
    end();
  };
  const left = tunnel.upstream.join({ leave });
  const releaseEnded = (): void => {
    const isProper = said.hasClosed() || heard.hasClosed() || visitor.destroyed || visitor.readableEnded;
    if (!isOver && !isProper) tunnel.onBroken();
    end();
  };
  visitor.write(switchingHeadOf(tunnel), 'latin1');
  release.on('data', (part: Buffer) => said.read(part));
  visitor.on('data', (part: Buffer) => heard.read(part));
  // Both ways pass through the visitor's socket, so its silence is everybody's.
  visitor.setTimeout(tunnel.idleMs, leave);
  visitor.on('error', end).on('close', end);
  release.on('error', releaseEnded).on('close', releaseEnded).on('end', releaseEnded);
  if (tunnel.early.length > 0) {
    heard.read(tunnel.early);
    release.write(tunnel.early);
  }
  visitor.pipe(release);
  release.pipe(visitor, { end: false });
}

function switchingHeadOf({ headers, cookie }: Tunnel): string {
  const flat = visitorHeadersOf(headers, cookie);
  let head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n';
  for (let at = 0; at < flat.length; at += 2) head += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return `${head}\r\n`;
}
