import { excerpt, redact, removedMark, withhold } from './redaction.ts';

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  ['a cloud key', `${'AKIA'}QWERTYUIOPASDFGH`],
  ['a model key', `sk-${'proj-abcdefghijklmnop'}`],
  ['a payment key', `sk_${'live_51Habcdefghijklmnopq'}`],
  ['a mail key', `SG.${'abcdefghij.klmnopqrstuv'}`],
  ['a chat token', `xoxb-${'1234567890-abcdefghij'}`],
  ['a source token', `ghp_${'abcdefghijklmnopqrstuvwxyz'}`],
  ['a signed token', `${base64({ alg: 'HS256' })}.${base64({ role: 'service_role' })}.abc`],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----'],
])('takes out %s', (_, secret) => {
  expect(redact(`before "${secret}" after`)).toBe(`before "${removedMark}" after`);
});

test.each([
  ['postgres://admin:hunter2@db.example.com/prod', `postgres://admin:${removedMark}@db.example.com/prod`],
  ['Authorization: Bearer abcdefgh.1234', `Authorization: Bearer ${removedMark}`],
  ['{"password": "correct-horse"}', `{"password": "${removedMark}"}`],
])('takes the secret out of %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.each([['a plain sentence about a password'], ['https://example.com/path?q=1'], ['v1.2.3 of key-value']])(
  'leaves %s alone',
  (text) => {
    expect(redact(text)).toBe(text);
  },
);

test('cuts an excerpt after the secrets are out, so that no half of one remains', () => {
  const secret = `sk-${'q'.repeat(60)}`;
  expect(excerpt(`${'x'.repeat(30)} ${secret}`, 50)).toBe(`${'x'.repeat(30)} ${removedMark}`);
});

test('makes one harmless line of foreign text', () => {
  expect(excerpt('one\r\n\u0000two\u202Ethree\u001b[31m')).toBe('one two three [31m');
});

test('ends at once on text that is built to be slow', () => {
  const started = performance.now();
  redact('ey'.repeat(60_000));
  redact('a:'.repeat(60_000));
  redact(' '.repeat(120_000));
  redact('token'.repeat(25_000));
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('takes an address of a person out of an excerpt', () => {
  expect(excerpt('no account for ana.b+test@mail.example.org, ask @ana')).toBe(
    'no account for [address removed], ask @ana',
  );
});

test('withholds the values that it is told, wherever they stand, but not plain words', () => {
  expect(withhold('flag=true key=Wolframite (Wolframite)', ['Wolframite', 'true'])).toBe(
    `flag=true key=${removedMark} (${removedMark})`,
  );
});
