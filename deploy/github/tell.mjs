import { appendFileSync, readFileSync } from 'node:fs';
import process from 'node:process';

// What a command has printed becomes the step's outputs and its lines in the summary of the job. The words may be those
// of a stranger (a version is named by whoever builds it), so each is one line, and code to whoever reads Markdown.
const [code = '1', path = ''] = process.argv.slice(2);
const {
  GITHUB_OUTPUT: outputs,
  GITHUB_STEP_SUMMARY: summary,
  INPUT_COMMAND: command,
  INPUT_PROMOTION: named,
} = process.env;

/** Long enough for any headline. */
const lettersMax = 600;

const last = readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
const told = last.startsWith('{') ? JSON.parse(last) : {};
const line = (value) =>
  String(value ?? '')
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, lettersMax);
const inCode = (value) => `\`${line(value).replaceAll('`', "'") || '–'}\``;

const given = { promotion: told.id ?? named, state: told.state, url: told.url, 'exit-code': code };
const lines = Object.entries(given).map(([name, value]) => `${name}=${line(value)}`);
if (outputs) appendFileSync(outputs, `${lines.join('\n')}\n`);

const page = URL.canParse(told.url) ? ` [Look](${new URL(told.url).href})` : '';
const where = told.headline === undefined ? '' : `: ${inCode(told.headline)}`;
const what = command === 'evidence' && told.digest ? `: ${inCode(told.digest)}` : where;
if (summary) appendFileSync(summary, `**Proviso** ${inCode(command)} ended with ${line(code)}${what}${page}\n`);
// A line that begins like a command to the runner would be one.
console.log(`Proviso: ${told.headline === undefined ? line(told.digest) : `${line(told.headline)} ${line(told.url)}`}`);
