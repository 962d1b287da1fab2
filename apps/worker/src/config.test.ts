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
