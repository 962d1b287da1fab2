import { blank, formsOf, withoutLines } from './withholding.ts';

const value = 'Amethyst "2291" Heron';
const key = '-----BEGIN KEY-----\nQ2FzY2FkZTcyMTk=\n-----END KEY-----';

test.each([
  ['as it is', `a ${value} b`],
  ['inside JSON', JSON.stringify({ error: `bad ${value}` })],
  ['inside an address', `https://example.org/?key=${encodeURIComponent(value)}`],
  ['encoded', `authorization: Basic ${Buffer.from(value).toString('base64')}`],
])('a line that shows a secret %s is left out whole', (_how, line) => {
  expect(withoutLines(`before\n${line}\nafter`, formsOf([value]))).toMatch(/^before\n\[a line.*withheld\]\nafter$/);
});

test('each line of a longer secret is looked for', () => {
  expect(withoutLines(`> Q2FzY2FkZTcyMTk=\n${key}\nend`, formsOf([key]))).not.toMatch(/Q2Fz|BEGIN/);
});

test('what shows none stays as it is', () => {
  expect(withoutLines('listening\nready', formsOf([value]))).toBe('listening\nready');
});

test('bytes keep their length', () => {
  const bytes = Buffer.from(`{"key":${JSON.stringify(value)}} ${value}`);
  blank(
    bytes,
    formsOf([value]).map((form) => Buffer.from(form)),
  );
  expect(bytes.toString()).toBe(`{"key":"${'*'.repeat(value.length + 2)}"} ${'*'.repeat(value.length)}`);
});
