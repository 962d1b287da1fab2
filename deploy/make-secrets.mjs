// Writes the secrets that compose.yaml reads, once: deploy/secrets/*.env, each for one service, and founding.json with
// the first people. What exists stays, so running this again harms nothing. Plain Node 20, no packages.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2] ?? fileURLToPath(new URL('secrets', import.meta.url));
const secret = () => randomBytes(32).toString('hex');
const [superuser, temporal, app, pump, vaultKey, controlToken, previewKey] = Array.from({ length: 7 }, secret);
const address = (user, password) => `postgres://${user}:${password}@postgres:5432/proviso`;

/** Service by service: each sees what it needs and nothing else. */
const files = {
  postgres: { POSTGRES_PASSWORD: superuser, TEMPORAL_POSTGRES_PASSWORD: temporal },
  temporal: { TEMPORAL_POSTGRES_PASSWORD: temporal },
  found: {
    PROVISO_SUPERUSER_URL: address('postgres', superuser),
    PROVISO_DATABASE_URL: address('proviso_app', app),
    PROVISO_APP_PASSWORD: app,
    PROVISO_PUMP_PASSWORD: pump,
    PROVISO_VAULT_KEY: vaultKey,
  },
  api: {
    PROVISO_DATABASE_URL: address('proviso_app', app),
    PROVISO_VAULT_KEY: vaultKey,
    PROVISO_PREVIEW_KEY: previewKey,
  },
  worker: {
    PROVISO_DATABASE_URL: address('proviso_app', app),
    PROVISO_PUMP_URL: address('proviso_pump', pump),
    PROVISO_VAULT_KEY: vaultKey,
    PROVISO_EDGE_CONTROL_TOKEN: controlToken,
  },
  edge: { PROVISO_EDGE_CONTROL_TOKEN: controlToken, PROVISO_PREVIEW_KEY: previewKey },
};

/** Who is there at the beginning: an operator who adds the others, and the edge. Their tokens come as the answer. */
const founding = {
  workspace: { id: `wsp_${randomUUID().replaceAll('-', '')}`, name: 'main' },
  people: [
    {
      key: 'operator',
      name: 'Operator',
      principal: 'human',
      bindings: [{ role: 'operator' }, { role: 'policy-owner' }, { role: 'administrator' }],
      token: true,
    },
    { key: 'edge', name: 'Edge', principal: 'service', bindings: [{ role: 'edge' }], token: true },
  ],
  policies: projectPolicies(),
};

// The values belong together: a set of which one file is missing could not be completed with matching ones.
const present = Object.keys(files).filter((name) => existsSync(join(folder, `${name}.env`)));
if (present.length > 0) {
  console.error(`${folder} has ${present.length} of ${Object.keys(files).length} files already: nothing was written`);
  process.exitCode = present.length === Object.keys(files).length ? 0 : 1;
} else {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, values] of Object.entries(files)) {
    const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(join(folder, `${name}.env`), lines.join(''), { mode: 0o600, flag: 'wx' });
  }
  // Read inside the container by another user; it holds no secret.
  writeFileSync(join(folder, 'founding.json'), `${JSON.stringify(founding, null, 2)}\n`, { mode: 0o644 });
  console.error(`wrote ${Object.keys(files).length + 1} files to ${folder}`);
}

function projectPolicies() {
  const policies = fileURLToPath(new URL('../policies', import.meta.url));
  if (!existsSync(policies)) return [];
  const names = readdirSync(policies).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => ({ source: readFileSync(join(policies, name), 'utf8') }));
}
