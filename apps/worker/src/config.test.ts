import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './config.ts';

const whole = {
  PROVISO_DATABASE_URL: 'postgres://app:secret@127.0.0.1/proviso',
  PROVISO_PUMP_URL: 'postgres://pump:secret@127.0.0.1/proviso',
  PROVISO_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  PROVISO_EVIDENCE: 'evidence',
  PROVISO_EDGE_CONTROL_URL: 'http://127.0.0.1:4002',
  PROVISO_EDGE_CONTROL_TOKEN: 'token',
  PROVISO_EDGE_URL: 'http://127.0.0.1:4001',
  PROVISO_VAULT_KEY: 'a'.repeat(64),
  PROVISO_ORIGIN: 'here',
};

describe('the configuration', () => {
  it('is inert about faults and ports unless told', () => {
    expect(readConfig(whole)).toMatchObject({ fault: null, port: null, temporalNamespace: 'default' });
    const told = readConfig({
      ...whole,
      PROVISO_FAULT: 'inside_look',
      PROVISO_FAULT_ONCE: 'once',
      PROVISO_WORKER_PORT: '0',
    });
    expect(told).toMatchObject({ fault: { point: 'inside_look', onceFile: 'once' }, port: 0 });
  });

  it('takes packages from the public registries unless an operator has a mirror, and tells no password', () => {
    const { registries, buildsMax } = readConfig(whole);
    expect([registries.npm, registries.certificates, buildsMax]).toEqual(['https://registry.npmjs.org/', null, 1]);
    const mirror = { ...whole, PROVISO_NPM_REGISTRY: 'http://10.0.0.7:4873/', PROVISO_BUILDS_MAX: '4' };
    expect(readConfig(mirror)).toMatchObject({ registries: { npm: 'http://10.0.0.7:4873/' }, buildsMax: 4 });
    const wrong = { ...whole, PROVISO_PYPI_INDEX: 'https://me:hidden@mirror.example/', PROVISO_BUILDS_MAX: '0' };
    expect(() => readConfig(wrong)).toThrow(/PROVISO_PYPI_INDEX.*PROVISO_BUILDS_MAX/);
    expect(() => readConfig(wrong)).not.toThrow(/hidden/);
  });

  it('isolates in the strongest way that works, or in the one that is asked for', () => {
    expect(readConfig(whole).isolation).toBeNull();
    expect(readConfig({ ...whole, PROVISO_WORKER_ISOLATION: 'namespace' }).isolation).toBe('namespace');
    const wrong = { ...whole, PROVISO_WORKER_ISOLATION: 'weaker' };
    expect(() => readConfig(wrong)).toThrow('expected PROVISO_WORKER_ISOLATION to be bubblewrap, namespace or none');
  });

  it('names everything that is missing in one message, and no value', () => {
    expect(() => readConfig({})).toThrow(/PROVISO_DATABASE_URL.*PROVISO_PUMP_URL.*PROVISO_ORIGIN/);
    const wrong = { ...whole, PROVISO_VAULT_KEY: 'not-a-key', PROVISO_FAULT: 'anywhere' };
    expect(() => readConfig(wrong)).toThrow(/PROVISO_VAULT_KEY.*PROVISO_FAULT/);
    expect(() => readConfig(wrong)).not.toThrow(/not-a-key/);
  });
});

describe('where metrics may come from', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'proviso-sources-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function read(content: unknown, more: Readonly<Record<string, string>> = {}) {
    const path = join(folder, 'sources.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readConfig({ ...whole, ...more, PROVISO_PROMETHEUS: path }).prometheus;
  }

  it('is the edge alone unless an operator names others', () => {
    expect(readConfig(whole).prometheus.size).toBe(0);
    const named = read({
      main: { url: 'https://prometheus.example/inside' },
      near: { url: 'http://10.0.0.7:9090', private: true },
    });
    expect([...named].map(([name, { url, reach }]) => [name, url.href, reach])).toEqual([
      ['main', 'https://prometheus.example/inside', 'public'],
      ['near', 'http://10.0.0.7:9090/', 'private'],
    ]);
  });

  it('reads a token where it lies, and the file of one anew each time', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'first\n');
    const url = 'https://prometheus.example';
    const named = read(
      { here: { url, token: { file } }, there: { url, token: { environment: 'PROM_TOKEN' } }, open: { url } },
      { PROM_TOKEN: 'other' },
    );
    expect(await named.get('here')?.readToken?.()).toBe('first');
    writeFileSync(file, 'second');
    expect(await named.get('here')?.readToken?.()).toBe('second');
    expect(await named.get('there')?.readToken?.()).toBe('other');
    expect(named.get('open')?.readToken).toBeNull();
    writeFileSync(file, 'two\r\nlines: yes');
    await expect(named.get('here')?.readToken?.()).rejects.toThrow('expected a token in one line');
  });

  it.each([
    ['no JSON', '{', /expected PROVISO_PROMETHEUS to be a JSON file .* got none that can be read/],
    ['a list', [], /got mistakes at the whole/],
    ['a name with a slash', { 'a/b': { url: 'https://p.example' } }, /got mistakes at a\/b/],
    ['a misspelt field', { main: { url: 'https://p.example', privat: true } }, /got mistakes at main\.privat/],
    ['another scheme', { main: { url: 'file:///etc/passwd' } }, /expected main .* an http or https address/],
    ['a password in the address', { main: { url: 'https://me:hidden@p.example' } }, /without a name, a password/],
    ['an address of this machine', { main: { url: 'http://127.0.0.1:9090' } }, /expected main .* a public address/],
    ['the same in disguise', { main: { url: 'http://0x7f.1:9090' } }, /expected main .* a public address/],
    ['metadata', { main: { url: 'http://169.254.169.254', private: true } }, /expected main .* link-local never/],
    ['a token over plain http', { main: { url: 'http://p.example', token: { file: '/x' } } }, /expected main .* https/],
    ['no such variable', { main: { url: 'https://p.example', token: { environment: 'NONE' } } }, /a token in the env/],
  ])('refuses %s, and tells no value', (_what, content, message) => {
    expect(() => read(content)).toThrow(message);
    expect(() => read(content)).not.toThrow(/hidden|passwd|127\.0\.0\.1/);
  });
});
