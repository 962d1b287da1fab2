import { createHmac } from 'node:crypto';
import { isSignedBySlack } from './signature.ts';

// The example of Slack's own documentation.
const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';
const timestamp = '1531420618';
const text =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
const good = { signature, timestamp, body: Buffer.from(text) };
const at = { signingSecret, nowMs: 1_531_420_618_000 };

it('knows what Slack has signed, by Slack’s own example', () => {
  expect(isSignedBySlack(good, at)).toBe(true);
});

const sha1 = createHmac('sha1', signingSecret).update(`v0:${timestamp}:${text}`).digest('hex');
it.each([
  ['another body', { body: Buffer.from(`${text} `) }],
  ['the same fields written anew', { body: Buffer.from(new URLSearchParams(text).toString().replace('%2F', '/')) }],
  ['no signature', { signature: undefined }],
  ['an empty signature', { signature: '' }],
  ['SHA-1 alone', { signature: `v0=${sha1}` }],
  ['another version', { signature: signature.replace('v0', 'v1') }],
  ['capital letters', { signature: signature.toUpperCase() }],
  ['one digit off', { signature: signature.replace(/3$/, '4') }],
  ['no time', { timestamp: undefined }],
  ['a time that is no number', { timestamp: '1531420618.0' }],
  ['another time', { timestamp: '1531420619' }],
])('refuses %s', (_, over) => {
  expect(isSignedBySlack({ ...good, ...over }, at)).toBe(false);
});

it.each([
  [300, true],
  [301, false],
  [-300, true],
  [-301, false],
])('after %i seconds: %s', (seconds, isGood) => {
  expect(isSignedBySlack(good, { ...at, nowMs: at.nowMs + seconds * 1_000 })).toBe(isGood);
});
