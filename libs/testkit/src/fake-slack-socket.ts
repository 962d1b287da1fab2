/// <reference path="./ws.d.ts" />
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/** Slack's end of Socket Mode. */
export interface FakeSlackSocket {
  /** Resolves as soon as an app is connected. */
  readonly connected: () => Promise<void>;
  /** Sends something that somebody did and answers with the payload of its acknowledgement. */
  readonly deliver: (type: 'interactive' | 'slash_commands' | 'events_api', payload: object) => Promise<unknown>;
  readonly close: () => void;
}

/** Opens it on the server of the fake. */
export function openFakeSocket(server: Server): FakeSlackSocket {
  const sockets = new WebSocketServer({ server });
  let current: WebSocket | null = null;
  sockets.on('connection', (socket: WebSocket) => {
    current = socket;
    socket.send(
      JSON.stringify({ type: 'hello', num_connections: 1, debug_info: {}, connection_info: { app_id: 'A0' } }),
    );
  });
  return {
    connected: async () => {
      if (current === null) await once(sockets, 'connection');
    },
    deliver: async (type, payload) => {
      const socket = current;
      if (socket === null) throw new Error('expected a connection, got none');
      const id = randomUUID();
      const acknowledged = new Promise((resolve) => {
        socket.on('message', (data: Buffer) => {
          const { envelope_id: of, payload: answer } = JSON.parse(data.toString()) as {
            envelope_id: string;
            payload?: unknown;
          };
          if (of === id) resolve(answer ?? null);
        });
      });
      socket.send(JSON.stringify({ type, envelope_id: id, payload, accepts_response_payload: true }));
      return await acknowledged;
    },
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}
