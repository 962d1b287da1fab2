import { authorityMatrix } from './authority-matrix.ts';
import { toolLinesText } from './mcp/agent-protocol.ts';
import { openapiText } from './openapi.ts';

// Prints the files that are made from the route table; `npm run generate` writes or compares them.
process.stdout.write(
  JSON.stringify({
    'apps/api/openapi.json': openapiText(),
    'apps/api/authority.matrix.txt': authorityMatrix(),
    'apps/api/agent-tools.generated.json': toolLinesText(),
  }),
);
