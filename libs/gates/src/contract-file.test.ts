import { readFileSync } from 'node:fs';
import { readContractFile } from './contract-file.ts';

test('the contract that the documentation shows is one, with every field that there is', () => {
  const page = readFileSync(new URL('../../../docs/contract.md', import.meta.url), 'utf8');
  const shown = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(readContractFile(shown)).toMatchObject({ ok: true, value: { prototype: 'help-desk', run: { kind: 'node' } } });
  const schema = readFileSync(new URL('../../../docs/schemas/proviso.schema.json', import.meta.url), 'utf8');
  const fields = Object.keys((JSON.parse(schema) as { properties: object }).properties);
  expect(fields.filter((field) => !new RegExp(`^${field}:`, 'm').test(shown))).toEqual([]);
});
