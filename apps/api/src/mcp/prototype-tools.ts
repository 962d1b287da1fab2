import { z } from 'zod';
import { ids } from '../forms.ts';
import { resources } from '../resources.ts';
import { paging } from './paging.ts';
import { closed, theirs, untrusted } from './shown.ts';
import { type Tool, tool } from './tool.ts';

const versionShape = z.strictObject({
  ...{ id: closed.candidate, version: theirs, artifactDigest: closed.digest },
  ...{ from: z.enum(['upload', 'git', 'github']), removed: z.boolean().describe('its files are gone') },
});

type Version = z.output<typeof resources.candidate>;

function versionShown({ id, version, artifactDigest, origin, removed }: Version): z.input<typeof versionShape> {
  return { id, version: untrusted(version), artifactDigest, from: origin.kind, removed };
}

/** What can be read of prototypes and their versions: as much as starting a promotion of one takes. */
export const prototypeTools: readonly Tool[] = [
  tool('list_prototypes', {
    ...{ route: 'listPrototypes', effect: 'reads', title: 'List prototypes' },
    about: 'Prototypes with their newest version.',
    input: z.strictObject(paging.input),
    ask: ({ after, limit }) => ({ query: { after, limit: String(limit) } }),
    answer: resources.prototypes,
    output: z.strictObject({
      prototypes: z.array(z.strictObject({ id: closed.prototype, name: theirs, newest: versionShape.nullable() })),
      next: paging.next,
    }),
    show: ({ items, next }) => ({
      prototypes: items.map(({ id, name, latestCandidate: newest }) => {
        return { id, name: untrusted(name), newest: newest === null ? null : versionShown(newest) };
      }),
      next,
    }),
  }),
  tool('list_versions', {
    ...{ route: 'listCandidates', effect: 'reads', title: 'List versions of a prototype' },
    about: 'The versions (candidates) of a prototype, newest first. None is uploaded by a tool.',
    input: z.strictObject({ prototype: ids.prototype, ...paging.input }),
    ask: ({ prototype, after, limit }) => ({ id: prototype, query: { after, limit: String(limit) } }),
    answer: resources.candidates,
    output: z.strictObject({ versions: z.array(versionShape), next: paging.next }),
    show: ({ items, next }) => ({ versions: items.map(versionShown), next }),
  }),
];
