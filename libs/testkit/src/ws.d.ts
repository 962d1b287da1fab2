// The part of ws that the fake of Slack uses; the package brings no types of its own.
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:http';

  export type WebSocket = EventEmitter & {
    readonly send: (text: string) => void;
    readonly terminate: () => void;
  };

  export class WebSocketServer extends EventEmitter {
    constructor(options: { readonly server: Server });
    readonly clients: ReadonlySet<WebSocket>;
    close(): void;
  }
}
