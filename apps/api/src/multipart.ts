import plugin from '@fastify/multipart';
import { LIMITS } from '@proviso/intake';

/** One file and one field; whatever is more is not one of our forms. The archive's own bounds are intake's. */
const options = {
  throwFileSizeLimit: true,
  limits: {
    fieldNameSize: 100,
    fieldSize: 1_000,
    fields: 5,
    files: 1,
    parts: 6,
    headerPairs: 20,
    // One more than intake takes: it says what is too large, where a parser that cuts off would make a damaged archive of it.
    fileSize: LIMITS.archiveBytesMax + 1,
  },
} as const;

/** The parser of forms with a file; it reads nothing until a route asks for the parts. */
export const multipart = { plugin, options } as const;
