import { readFile } from 'node:fs/promises';
import { GateBreakage } from './outcome.ts';
import { readSecretlintReport } from './secretlint.ts';

const fixture = new URL('./fixtures/secretlint.json', import.meta.url);

function codeOf(output: string): string {
  try {
    readSecretlintReport(output);
    return 'read';
  } catch (error) {
    return error instanceof GateBreakage ? error.code : String(error);
  }
}

test('reads rule and place out of a report of the real tool and nothing of its content', async () => {
  const report = readSecretlintReport(await readFile(fixture, 'utf8'));
  expect(report).toEqual({
    scannedFiles: ['prototype/app.ts'],
    findings: [
      { rule: 'database-connection-string', file: 'prototype/app.ts', line: 3, column: 14 },
      { rule: 'github', file: 'prototype/app.ts', line: 5, column: 14 },
    ],
  });
});

const clean = { filePath: 'a', sourceContentType: 'text', messages: [] };
const message = { ruleId: 'r', loc: { start: { line: 1, column: 0 } }, severity: 'error' };

test.each([
  ['a clean report', JSON.stringify([clean]), 'read'],
  ['nothing', '', 'output_invalid'],
  ['half a report', '[{"filePath":"a","mess', 'output_invalid'],
  ['no list', '{}', 'output_invalid'],
  ['a file without messages', JSON.stringify([{ ...clean, messages: undefined }]), 'output_invalid'],
  ['a file that was skipped as binary', JSON.stringify([{ ...clean, sourceContentType: 'binary' }]), 'output_invalid'],
  ['a message without a place', JSON.stringify([{ ...clean, messages: [{ ruleId: 'r' }] }]), 'output_invalid'],
  [
    'an unknown severity',
    JSON.stringify([{ ...clean, messages: [{ ...message, severity: 'low' }] }]),
    'output_invalid',
  ],
])('answers %s with %s', (_, output, expected) => {
  expect(codeOf(output)).toBe(expected);
});

test('says nothing of an unreadable report in its breakage', () => {
  const secret = 'hunter2-in-a-broken-report';
  let shown = '';
  try {
    readSecretlintReport(`[{"sourceContent":"${secret}`);
  } catch (error) {
    shown = `${String(error)}${String(error instanceof Error && error.cause)}`;
  }
  expect(shown).toContain('JSON');
  expect(shown).not.toContain(secret);
});
