import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SkippedFile, listFiles, readCandidateFile, textOf } from './candidate-files.ts';
import { type Control, GateBreakage, type GateOutcome, type GateReason, missedControls } from './outcome.ts';
import type { RunChild } from './child-process.ts';
import { type EvidencePort, putJson } from './ports.ts';
import { excerpt } from './redaction.ts';
import { type SecretFinding, reasonOf } from './secret-finding.ts';
import { type SecretTool, type ToolReport, installedSecretlint, runSecretlint } from './secretlint.ts';
import { findServiceRoleKeys } from './service-role.ts';

/** What is scanned, and where the scan may write while it runs. */
export interface ScanInput {
  /** The candidate, materialised and not written to by anyone during the scan. */
  readonly folder: string;
  /** What a build has made of it and added to it, without installed packages; keys end up in bundles. */
  readonly builtFolder?: string;
  /** A folder of ours: it holds copies of the candidate's text, secrets included, until the scan ends. */
  readonly scratchFolder: string;
  readonly timeoutMs?: number;
}

/** What the scan needs from outside; `tool` is replaced only to try out how the gate breaks. */
export interface ScanPorts {
  readonly evidence: EvidencePort;
  readonly signal: AbortSignal;
  /** How the tool is run: it reads what a stranger wrote. */
  readonly run: RunChild;
  readonly tool?: SecretTool;
}

/** A prototype takes 2 s; ten times that is a tool that hangs. */
const timeoutMsDefault = 20_000;
/** Bundles of generated front ends reach 2 MB and are where keys end up; larger files are data. */
const fileBytesMax = 4 * 1024 * 1024;
/** Bounds the tool's memory, which holds all text and its report at once. */
const totalBytesMax = 24 * 1024 * 1024;
/** What a person can act on in one go; the evidence lists more. */
const reasonsMax = 20;
const listedMax = 500;

interface MirroredFile {
  readonly path: string;
  readonly mirror: string;
  readonly text: string;
}

interface Mirror {
  readonly files: readonly MirroredFile[];
  readonly skipped: readonly SkippedFile[];
  readonly complete: boolean;
  readonly sizeBytes: number;
}

/**
 * Looks for secrets in every text file. The files are copied to a mirror of our own making, so that nothing in the
 * candidate (ignore files, names, comments that switch rules off) can decide what is scanned. Fails on any finding,
 * is inconclusive when its own planted secrets go unseen or not all could be read.
 */
export async function scanCandidate(input: ScanInput, ports: ScanPorts): Promise<GateOutcome> {
  const tool = ports.tool ?? installedSecretlint();
  const scratch = await mkdtemp(join(await realpath(input.scratchFolder), 'scan-'));
  try {
    const folders = [input.folder, ...(input.builtFolder === undefined ? [] : [input.builtFolder])];
    const mirror = await mirrorOf(folders, { scratch, signal: ports.signal });
    const planted = await plantControl(scratch);
    const report = await runSecretlint(tool, {
      folder: scratch,
      inputBytes: mirror.sizeBytes,
      timeoutMs: input.timeoutMs ?? timeoutMsDefault,
      signal: ports.signal,
      run: ports.run,
    });
    requireAllScanned(report, [...mirror.files.map((file) => file.mirror), planted.path]);
    const controls = controlsOf(report, planted);
    const findings = findingsOf(mirror, report);
    const digest = await putJson(ports.evidence, evidenceOf({ tool, mirror, findings, controls }));
    const evidence = [{ kind: 'scan_report', digest, tool: { name: tool.name, version: tool.version } }];
    return { ...concluded({ mirror, findings, controls }), evidence, controls };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function mirrorOf(
  folders: readonly string[],
  into: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<Mirror> {
  let mirror: Mirror = { files: [], skipped: [], complete: true, sizeBytes: 0 };
  for (const folder of folders) mirror = await mirrored(folder, { ...into, mirror });
  return mirror;
}

async function mirrored(
  folder: string,
  into: { readonly scratch: string; readonly signal: AbortSignal; readonly mirror: Mirror },
): Promise<Mirror> {
  const { scratch, signal, mirror } = into;
  const listed = await listFiles(folder);
  const files = [...mirror.files];
  const skipped = [...mirror.skipped, ...listed.skipped];
  let { sizeBytes } = mirror;
  for (const path of listed.paths) {
    signal.throwIfAborted();
    const content = await readCandidateFile(folder, { path, sizeBytesMax: fileBytesMax });
    const text = 'bytes' in content ? textOf(content.bytes) : null;
    if (text === null) {
      skipped.push({
        path,
        why: 'bytes' in content ? 'binary' : content.problem === 'missing' ? 'special' : 'too_large',
      });
      continue;
    }
    sizeBytes += Buffer.byteLength(text);
    if (sizeBytes > totalBytesMax) return { files, skipped, complete: false, sizeBytes };
    const place = join(scratch, String(files.length));
    const mirrorPath = join(place, mirrorName(path));
    await mkdir(place);
    await writeFile(mirrorPath, withoutSwitches(text));
    files.push({ path, mirror: mirrorPath, text });
  }
  return { files, skipped, complete: mirror.complete && listed.complete, sizeBytes };
}

/** Some rules look at the name; all other names are neutral, since the tool judges by them what is text. */
function mirrorName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (name === '.npmrc' || name === 'package.json' || name === 'package-lock.json') return name;
  return name.endsWith('.json') ? 'file.json' : 'file.txt';
}

/** Comments in the code cannot excuse a secret: a suppression counts only when it comes from outside. Same length. */
function withoutSwitches(text: string): string {
  return text.replaceAll(/secretlint-(?=disable|enable)/gi, 'secretlint_');
}

/** Invented secrets, put together here so that this file holds none. */
async function plantControl(scratch: string): Promise<{ readonly path: string; readonly text: string }> {
  const claims = Buffer.from(JSON.stringify({ role: 'service_role', iss: 'planted' })).toString('base64url');
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
  const text = `first = "${['xoxb', '123456789012', '1234567890123', 'A'.repeat(24)].join('-')}"\n${header}.${claims}.x\n`;
  const path = join(scratch, 'planted.txt');
  await writeFile(path, text);
  return { path, text };
}

function requireAllScanned(report: ToolReport, expected: readonly string[]): void {
  const scanned = new Set(report.scannedFiles);
  const missing = expected.filter((path) => !scanned.has(path)).length;
  if (missing > 0 || scanned.size !== expected.length) {
    const message = `expected ${expected.length} scanned files, got ${scanned.size}`;
    throw new GateBreakage('output_invalid', message, { retryable: true });
  }
}

function controlsOf(report: ToolReport, planted: { readonly path: string; readonly text: string }): readonly Control[] {
  const byTool = report.findings.some((finding) => finding.file === planted.path && finding.line === 1);
  const byRule = findServiceRoleKeys(planted).some((finding) => finding.line === 2);
  return [
    { id: 'planted_token', expected: 'found', observed: byTool ? 'found' : 'not found' },
    { id: 'planted_service_role_key', expected: 'found', observed: byRule ? 'found' : 'not found' },
  ];
}

function findingsOf(mirror: Mirror, report: ToolReport): readonly SecretFinding[] {
  const pathOf = new Map(mirror.files.map((file) => [file.mirror, file.path]));
  const byTool = report.findings.flatMap(({ rule, file, line, column }) => {
    const path = pathOf.get(file);
    return path === undefined ? [] : [{ rule, path, line, column }];
  });
  const found = [...byTool, ...mirror.files.flatMap(findServiceRoleKeys)];
  return found.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}

function concluded(scan: {
  readonly mirror: Mirror;
  readonly findings: readonly SecretFinding[];
  readonly controls: readonly Control[];
}): Pick<GateOutcome, 'verdict' | 'reasons'> {
  const { mirror, findings, controls } = scan;
  const covered = coverageReasons(mirror);
  const missed = missedControls(controls);
  if (findings.length > 0) {
    return { verdict: 'fail', reasons: [...findingReasons(findings), ...missed, ...covered] };
  }
  const blind = missed.length > 0 || !mirror.complete || mirror.files.length === 0;
  if (blind) return { verdict: 'inconclusive', reasons: [...missed, ...covered] };
  const message = `no secrets in ${mirror.files.length} files`;
  return { verdict: 'pass', reasons: [{ code: 'no_secrets_found', message }, ...covered] };
}

function findingReasons(findings: readonly SecretFinding[]): readonly GateReason[] {
  const shown = findings.slice(0, reasonsMax).map(reasonOf);
  const rest = findings.length - shown.length;
  return rest === 0 ? shown : [...shown, { code: 'secret_found', message: `and ${rest} more, listed in the report` }];
}

function coverageReasons(mirror: Mirror): readonly GateReason[] {
  const reasons: GateReason[] = [];
  if (!mirror.complete) {
    const message =
      'the prototype is too large to scan as a whole; leave out what it does not need to run, such as installed packages';
    reasons.push({ code: 'too_much_to_scan', message });
  }
  if (mirror.files.length === 0) {
    reasons.push({
      code: 'nothing_to_scan',
      message: 'there is no text file to scan; upload the source of the prototype',
    });
  }
  if (mirror.skipped.length > 0) {
    const some = mirror.skipped.slice(0, 3).map((file) => `${excerpt(file.path, 80)} (${file.why.replace('_', ' ')})`);
    const message = `${mirror.skipped.length} files were not looked into: ${some.join(', ')}`;
    reasons.push({ code: 'files_not_scanned', message });
  }
  return reasons;
}

function evidenceOf(scan: {
  readonly tool: SecretTool;
  readonly mirror: Mirror;
  readonly findings: readonly SecretFinding[];
  readonly controls: readonly Control[];
}): object {
  const { tool, mirror, findings, controls } = scan;
  return {
    kind: 'scan_report',
    v: 1,
    tool: { name: tool.name, version: tool.version, rules: ['preset-recommend', 'service-role-key'] },
    complete: mirror.complete,
    filesScanned: mirror.files.length,
    filesSkipped: mirror.skipped.length,
    skipped: mirror.skipped.slice(0, listedMax).map(({ path, why }) => ({ path: excerpt(path, 300), why })),
    findingsTotal: findings.length,
    findings: findings.slice(0, listedMax).map((finding) => ({ ...finding, path: excerpt(finding.path, 300) })),
    controls,
  };
}
