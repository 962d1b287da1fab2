/** Follows the frames of one direction of a WebSocket (RFC 6455, 5.2) without looking at what they say. */
export interface FrameWatch {
  readonly read: (part: Uint8Array) => void;
  /** True between two frames: only there may another be put in. */
  readonly isBetween: () => boolean;
  /** True when this side has said goodbye. */
  readonly hasClosed: () => boolean;
}

const CLOSE_OPCODE = 8;

/** "Going away" (1001) as an unmasked close frame of a server. */
export const GOING_AWAY_FRAME: Uint8Array = Uint8Array.of(0x88, 2, 1_001 >> 8, 1_001 & 0xff);

/** Starts behind the handshake. */
export function watchFrames(): FrameWatch {
  const head: number[] = [];
  let payloadBytes = 0;
  let closed = false;
  return {
    isBetween: () => head.length === 0 && payloadBytes === 0,
    hasClosed: () => closed,
    read: (part) => {
      for (let at = 0; at < part.length; ) {
        if (payloadBytes > 0) {
          const passed = Math.min(payloadBytes, part.length - at);
          payloadBytes -= passed;
          at += passed;
          continue;
        }
        head.push(part[at] ?? 0);
        at += 1;
        if (head.length < headBytesOf(head)) continue;
        closed ||= ((head[0] ?? 0) & 0x0f) === CLOSE_OPCODE;
        payloadBytes = payloadBytesOf(head);
        head.length = 0;
      }
    },
  };
}

function headBytesOf(head: readonly number[]): number {
  const second = head[1] ?? 0;
  const maskBytes = second & 0x80 ? 4 : 0;
  return 2 + lengthBytesOf(second) + maskBytes;
}

function lengthBytesOf(second: number): number {
  const short = second & 0x7f;
  if (short === 127) return 8;
  return short === 126 ? 2 : 0;
}

function payloadBytesOf(head: readonly number[]): number {
  const second = head[1] ?? 0;
  const lengthBytes = lengthBytesOf(second);
  if (lengthBytes === 0) return second & 0x7f;
  return head.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
}
