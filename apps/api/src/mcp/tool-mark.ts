import { randomBytes } from 'node:crypto';

/** In which a tool's own call of a route says which tool it is. */
export const toolHeader = 'x-proviso-tool';

/**
 * What tells a call that a tool made inside this process from one that somebody sends: else whoever has an agent's token
 * could have the journal say that a tool did what they did by hand. The secret never leaves the process.
 */
export interface ToolMark {
  /** The header's value for a tool. */
  readonly of: (tool: string) => string;
  /** The tool that a request was made by; undefined for everything that came from outside. */
  readonly in: (header: string | string[] | undefined) => string | undefined;
}

/** A mark that lives as long as the process. */
export function openToolMark(): ToolMark {
  const secret = randomBytes(32).toString('base64url');
  return {
    of: (tool) => `${secret} ${tool}`,
    in: (header) => {
      const [mark, tool] = typeof header === 'string' ? header.split(' ') : [];
      return mark === secret ? tool : undefined;
    },
  };
}
