import { githubAsking, markdownLines } from './plain-lines.ts';
import { promoted } from './promoted.contract.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;

it('what stands at GitHub is read in a terminal with its addresses, and without its marks', () => {
  const body =
    '<!-- proviso atlas 1 -->\n\n**Proviso**: `atlas` `v2`\n\n```text\n**is** [as](it) stands\n```\n\n[`scan`](http://x/1) · [all of it](http://x)';
  expect(markdownLines(body)).toEqual([
    'Proviso: atlas v2',
    '**is** [as](it) stands',
    'scan http://x/1 · all of it http://x',
  ]);
});

it('nobody is asked where nobody is waited for, and whoever is asked is shown what can be pressed', () => {
  expect(githubAsking(promoted('running', { asked: 'passed' }))).toBeNull();
  const waiting = promoted('waiting_for_human', { asked: 'waiting', source: null });
  if (waiting.ask === null) throw new Error('expected somebody to be asked');
  const asked = { ...waiting, ask: { ...waiting.ask, bound: { artifact: digest, evidenceDigest: digest } } };
  const lines = githubAsking(asked);
  expect([lines?.[0], lines?.at(-1)]).toEqual(['Proviso (atlas): It is waiting_for_human.', '[Approve]']);
  expect(githubAsking({ ...asked, ask: { ...asked.ask, stepUp: true } })?.at(-1)).toMatch(
    /^all of it https:\S+\/decide\//,
  );
});
