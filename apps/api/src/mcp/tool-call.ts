import type { CallToolResult } from '@modelcontextprotocol/server';
import { Problem, type ProblemBody, bodyOfProblem, problemOf } from '../problem.ts';
import { routes } from '../routes.ts';
import { note, type Tool, type ToolAsk } from './tool.ts';
import { untrusted } from './shown.ts';

/** More than this fills an agent's memory with one answer; lists have pages. */
const answerBytesMax = 65_536;

/** A request of the API, as a tool makes it. */
export interface Dispatched {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly body?: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a tool's call works with. */
export interface CallPorts {
  /** Asks the API in the name of the agent that called, marked with the tool. */
  readonly dispatch: (asked: Dispatched) => Promise<{ readonly status: number; readonly body: unknown }>;
  readonly requestId: string;
  /** Told of what is our fault; whoever called hears no word of it. */
  readonly broke: (error: unknown) => void;
}

/** One call of a tool. A no is an answer too: its code and who can, as the API says them, never what broke within. */
export async function callTool(tool: Tool, args: unknown, ports: CallPorts): Promise<CallToolResult> {
  try {
    const { status, body } = await ports.dispatch(requestOf(tool, tool.ask(args)));
    if (status >= 400) return refused(body as ProblemBody);
    return answered(tool.show(body));
  } catch (error) {
    if (!(error instanceof Problem)) ports.broke(error);
    return refused(bodyOfProblem(problemOf(error), { requestId: ports.requestId }));
  }
}

/** The route behind a tool; that each has one is looked at before the first call. */
export function routeOf({ name, route }: Pick<Tool, 'name' | 'route'>) {
  const found = routes.find((one) => one.name === route);
  if (found === undefined) throw new Error(`expected a route ${route} behind the tool ${name}, got none`);
  return found;
}

function requestOf(tool: Tool, { id, query = {}, body, key }: ToolAsk): Dispatched {
  const { method, path } = routeOf(tool);
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value);
  return {
    method,
    url: `${path.replace(':id', encodeURIComponent(id ?? ''))}${search.size === 0 ? '' : `?${search.toString()}`}`,
    ...(body === undefined ? {} : { body }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  };
}

/** The same twice: as data for programs, and as JSON in text for clients that read nothing else. */
function answered(shown: Readonly<Record<string, unknown>>): CallToolResult {
  const text = JSON.stringify(shown);
  const bytes = Buffer.byteLength(text);
  if (bytes > answerBytesMax)
    throw new Problem(
      'too_large',
      `expected an answer of at most ${answerBytesMax} bytes, got ${bytes}: ask for fewer`,
    );
  return { content: [{ type: 'text', text }], structuredContent: { ...shown } };
}

/** Only as text: the schema of a tool's data is that of its answers. */
function refused({ status, code, detail, rule, whoCan, decideUrl, errors, requestId }: ProblemBody): CallToolResult {
  const problem = {
    ...{ status, code, detail: untrusted(detail), requestId },
    ...(rule === undefined ? {} : { rule }),
    ...(whoCan === undefined ? {} : { whoCan }),
    ...(decideUrl === undefined ? {} : { decideUrl }),
    ...(errors === undefined
      ? {}
      : {
          errors: errors.map((one) => {
            return { pointer: untrusted(one.pointer), code: one.code, message: untrusted(one.message) };
          }),
        }),
  };
  return { content: [{ type: 'text', text: JSON.stringify({ note, problem }) }], isError: true };
}
