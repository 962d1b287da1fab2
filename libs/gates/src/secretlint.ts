import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { type Of, choice, group, integer, list, preset, read, text } from '@proviso/domain';
import type { RunChild } from './child-process.ts';
import { GateBreakage } from './outcome.ts';

/** The tool behind the secret rules, as evidence names it. */
export interface SecretTool {
  readonly name: 'secretlint';
  readonly version: string;
  /** The command-line script and the only tree of packages that the child may read. */
  readonly script: string;
  readonly packagesFolder: string;
}

/** One place that the tool reports, in the folder it scanned. */
export interface ToolFinding {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What the tool looked at and what it found there. */
export interface ToolReport {
  readonly scannedFiles: readonly string[];
  readonly findings: readonly ToolFinding[];
}

/** The rules: all that secretlint recommends. */
const configuration = JSON.stringify({ rules: [{ id: '@secretlint/secretlint-rule-preset-recommend' }] });

/** The report format was read from this release; another one could mean something else and is not believed. */
const knownMajor = '13';

/** Enough for the largest scan; a tool that wants more has met something built to make it grow. */
const memoryMbMax = 512;

/** A process of Node is larger than its heap of objects. */
const processOverHeap = 2;

/** The report repeats every file's text, whose bytes JSON may write as up to six; the rest is for the findings. */
const outputBytesPerInputByte = 6;
const outputBytesOver = 4 * 1024 * 1024;

/** Finds the installed tool. */
export function installedSecretlint(): SecretTool {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('secretlint/package.json');
  const { version } = require('secretlint/package.json') as { version: string };
  const marker = `${sep}node_modules${sep}`;
  const packagesFolder = manifest.slice(0, manifest.lastIndexOf(marker) + marker.length);
  return { name: 'secretlint', version, script: join(dirname(manifest), 'bin', 'secretlint.js'), packagesFolder };
}

/**
 * Runs secretlint over a folder that holds nothing but text we wrote there, in a child without environment that may
 * read that folder and its own packages only. Exit code 0 is clean, 1 is findings, all else is a breakage.
 */
export async function runSecretlint(
  tool: SecretTool,
  scan: {
    readonly folder: string;
    readonly inputBytes: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly run: RunChild;
  },
): Promise<ToolReport> {
  if (tool.version.split('.')[0] !== knownMajor) {
    const message = `expected secretlint ${knownMajor}, got another release`;
    throw new GateBreakage('tool_unknown', message, { retryable: false });
  }
  const limits = ['--permission', `--allow-fs-read=${scan.folder}`, `--allow-fs-read=${tool.packagesFolder}`];
  const options = ['--no-gitignore', '--secretlintignore', '.none', '--format', 'json', '--secretlintrcJSON'];
  const end = await scan.run({
    program: process.execPath,
    programArguments: [
      ...limits,
      `--max-old-space-size=${memoryMbMax}`,
      tool.script,
      ...options,
      configuration,
      '**/*',
    ],
    folder: scan.folder,
    readable: [tool.packagesFolder],
    memoryMbMax: memoryMbMax * processOverHeap,
    timeoutMs: scan.timeoutMs,
    outputBytesMax: scan.inputBytes * outputBytesPerInputByte + outputBytesOver,
    signal: scan.signal,
  });
  if (end.exitCode !== 0 && end.exitCode !== 1) {
    throw new GateBreakage('tool_crashed', `expected exit code 0 or 1, got ${end.exitCode}`, { retryable: true });
  }
  const report = readSecretlintReport(end.output);
  // A code that contradicts the report means that one of the two is wrong, and we cannot tell which.
  if ((end.exitCode === 1) !== report.findings.length > 0) throw invalidOutput('an exit code that fits the report');
  return report;
}

const reportShape = list(
  group({
    filePath: text({ min: 1, max: 4_000 }),
    // Other content is skipped by most rules in silence.
    sourceContentType: choice(['text']),
    messages: list(
      group({
        ruleId: text({ min: 1, max: 200 }),
        line: integer({ min: 1 }),
        column: integer({ min: 0 }),
        severity: preset(choice(['error', 'warning', 'info']), 'error'),
      }),
      { max: 10_000 },
    ),
  }),
  { max: 10_000 },
);

/**
 * Reads the tool's JSON strictly and keeps rule and place only. `sourceContent` and `message` are dropped before
 * anything looks at them: the first carries every secret of the file in full.
 */
export function readSecretlintReport(output: string): ToolReport {
  const result = read(reportShape, withoutContent(parsedJson(output)));
  if (!result.ok) throw invalidOutput('a secretlint report of the known form');
  return {
    scannedFiles: result.value.map((file) => file.filePath),
    findings: result.value.flatMap((file) => file.messages.map((message) => findingOf(file.filePath, message))),
  };
}

type Message = Of<typeof reportShape>[number]['messages'][number];

function findingOf(file: string, message: Message): ToolFinding {
  const rule = message.ruleId.replace(/^@secretlint\/secretlint-rule-/, '');
  // The tool counts columns from 0 and lines from 1.
  return { rule, file, line: message.line, column: message.column + 1 };
}

function parsedJson(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    // The parser's own message quotes the text, so it is not kept as the cause.
    throw invalidOutput('JSON');
  }
}

function withoutContent(report: unknown): unknown {
  if (!Array.isArray(report)) return report;
  return report.map((file: unknown) => {
    if (!isRecord(file)) return file;
    const messages = Array.isArray(file['messages']) ? file['messages'].map(placeOnly) : file['messages'];
    return { filePath: file['filePath'], sourceContentType: file['sourceContentType'], messages };
  });
}

function placeOnly(message: unknown): unknown {
  if (!isRecord(message) || !isRecord(message['loc']) || !isRecord(message['loc']['start'])) return null;
  const { line, column } = message['loc']['start'];
  return { ruleId: message['ruleId'], line, column, severity: message['severity'] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidOutput(expected: string): GateBreakage {
  return new GateBreakage('output_invalid', `expected ${expected}, got something else`, { retryable: true });
}
