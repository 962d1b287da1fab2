import { readFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type WorkflowBundle, Worker } from '@temporalio/worker';
import { bundleOf, identity, quiet } from './stage.contract.ts';
import { stories } from './stories.contract.ts';

const folder = join(import.meta.dirname, '../histories');
const files = readdirSync(folder).toSorted();

function historyOf(file: string): { text: string; history: { events: { eventId: string }[] } } {
  const text = readFileSync(join(folder, file), 'utf8');
  return { text, history: JSON.parse(text) };
}

async function replay(bundle: WorkflowBundle): Promise<Readonly<Record<string, Error | undefined>>> {
  quiet();
  const errors: Record<string, Error | undefined> = {};
  const histories = files.map((file) => ({ workflowId: file, history: historyOf(file).history }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories)) {
    errors[workflowId] = error;
  }
  return errors;
}

describe('the committed histories', () => {
  it('holds one of every story', () => {
    expect(files).toEqual(stories.map(({ name }) => `${name}.json`).toSorted());
  });

  it('replays on the story as it is now', async () => {
    const errors = await replay(await bundleOf('./index.ts'));
    expect(errors).toEqual(Object.fromEntries(files.map((file) => [file, undefined])));
  }, 60_000);

  it('fails on a story that changed its order, or this suite would see nothing', async () => {
    const errors = await replay(await bundleOf('./replay/broken.workflow.ts'));
    for (const file of files) expect(errors[file]?.name).toBe('DeterminismViolationError');
  }, 60_000);

  it.each(files)('tells nothing about a machine or a person in %s', (file) => {
    const { text } = historyOf(file);
    const identities = [...text.matchAll(/"(?:identity|workerIdentity)": "([^"]*)"/g)].map((found) => found[1]);
    expect(new Set(identities)).toEqual(new Set([identity]));
    for (const place of [`@${hostname()}`, process.cwd(), '/tmp', '/home', '/root', 'node_modules']) {
      expect(text).not.toContain(place);
    }
  });
});
