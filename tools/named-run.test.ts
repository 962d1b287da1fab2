import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function called(script: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${script}/main.ts`, ...args], {
    ...{ cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } },
  });
  return { status, stdout, stderr };
}

describe.each([
  ['bench', 'authority, canary, decide, edge, judge, overhead', '  decide '],
  ['e2e', 'kills, hostile, exports, fuzz, portal, races, watch, canary, blind, zombies, channels', '  kills '],
])('npm run %s', (script, names, listed) => {
  it.each([
    [['nothing'], `expected one of ${names}, got nothing`],
    [['constructor'], `expected one of ${names}, got constructor`],
    [['--rounds', '0'], '--rounds: expected a whole number from 1, got 0'],
    [['--rounds', 'many'], '--rounds: expected a whole number from 1, got many'],
    [['--fast'], "Unknown option '--fast'"],
    [
      [listed.trim(), '--vectors', 'file'],
      script === 'bench' ? '--vectors: expected with judge alone, got decide' : "Unknown option '--vectors'",
    ],
  ])('refuses %j with the list and code 2', (args, why) => {
    const { status, stdout, stderr } = called(script, ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).toContain(listed);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('gives help when it is asked for', () => {
    const { status, stdout, stderr } = called(script, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`usage: npm run ${script}`);
    expect(stdout).toContain(listed);
  });
});
