import { previewPassText, previewUnheardMs } from '@proviso/domain';
import { createHmac } from 'node:crypto';
import { type RequestHead } from './headers.ts';
import { type Heard, openStagingDoor } from './staging-door.ts';

const key = 'ab'.repeat(32);
const host = 'staging.desk.localhost';
const person = `psn_${'1'.repeat(32)}` as const;
const now = 1_800_000_000_000;

function isIn(heard: Heard | null): boolean {
  const door = openStagingDoor({
    controlToken: 't',
    previewKeyHex: key,
    wallClock: () => new Date(now),
    heard: () => heard,
  });
  const times = { issuedAt: now - 1, expiresAt: now + 3_600_000 };
  const text = previewPassText({
    use: 'session',
    host,
    person,
    ...times,
    nonce: '00000000-0000-4000-8000-000000000000',
  });
  const mac = createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex');
  return door.hasSession({ gate: null, preview: `${text}~${mac}` } as RequestHead, host);
}

test.each<[string, Heard | null, boolean]>([
  ['just heard of nobody shut out', { shutOut: new Set(), ageMs: 0 }, true],
  ['heard of somebody else', { shutOut: new Set([`psn_${'2'.repeat(32)}`]), ageMs: 0 }, true],
  ['heard of this very person', { shutOut: new Set([person]), ageMs: 0 }, false],
  ['heard nothing for almost five minutes', { shutOut: new Set(), ageMs: previewUnheardMs - 1 }, true],
  ['heard nothing for five minutes', { shutOut: new Set(), ageMs: previewUnheardMs }, false],
  ['never heard anything', null, false],
])('an edge that has %s', (_what, heard, expected) => {
  expect(isIn(heard)).toBe(expected);
});
