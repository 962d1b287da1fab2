// The action that others run in their pipelines, looked over by zizmor at its strictest where that is installed (how:
// deploy/github/requirements.txt). Where it is not, nothing is said: the rules that we hold by ourselves are in the tests.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { root } from './pinned-node.mjs';

const program = `${root}/.cache/zizmor/bin/zizmor`;
if (existsSync(program)) {
  const words = ['--offline', '--no-progress', '--persona=auditor', 'deploy/github/action.yml'];
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) process.stdout.write(`${stdout}${stderr}`);
  process.exitCode = status ?? 1;
}
