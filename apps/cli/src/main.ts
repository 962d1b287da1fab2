#!/usr/bin/env node
import { currentConfig } from './config.ts';
import { explain } from './trouble.ts';
import { watchInterruption } from './interruption.ts';
import { runProgram } from './program.ts';
import { openSession } from './session.ts';

// The command as a process: words in, results on stdout, progress and troubles on stderr, a number at the end.
const interruption = watchInterruption();
// A reader that has seen enough closes the pipe; that is no trouble of ours.
process.stdout.on('error', () => process.exit(0));
let exitCode: number;
try {
  const config = currentConfig();
  exitCode = await runProgram(process.argv.slice(2), (flags) => openSession(flags, { config, interruption }));
} catch (error) {
  const told = explain(error);
  for (const line of told.lines) process.stderr.write(`${line}\n`);
  exitCode = told.exitCode;
}
// All children are stopped by now; a kept-alive connection must not hold the process.
process.exit(exitCode);
