import { actTools } from './act-tools.ts';
import { policyTools } from './policy-tools.ts';
import { promotionTools } from './promotion-tools.ts';
import { prototypeTools } from './prototype-tools.ts';
import type { Tool } from './tool.ts';

/** Every tool there is. What is not here no agent does. */
export const tools: readonly Tool[] = [...promotionTools, ...prototypeTools, ...policyTools, ...actTools];

/** The tool of that name; null for a name that is none. */
export function toolNamed(name: string): Tool | null {
  return tools.find((one) => one.name === name) ?? null;
}
