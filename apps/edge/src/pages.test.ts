import { htmlOf, type Page } from './pages.ts';

const all: readonly Page[] = [
  ...(['unknown_host', 'not_open', 'closed', 'starting', 'unavailable', 'release_failed'] as const),
  ...(['release_slow', 'too_large', 'busy', 'bad_request', 'not_supported'] as const),
];

test.each(all)('the page %s says what happened, for whom, and what visitor and builder can do', (page) => {
  const html = htmlOf(page, 'shop.localhost');
  expect(html).toContain('<p class="host">shop.localhost</p>');
  expect(html).toContain('If you built it: ');
  expect(html).not.toMatch(/127\.0\.0\.1|undefined|Error:/);
});

test('a name that is markup stays a name', () => {
  expect(htmlOf('unknown_host', `<script>alert("1")</script>&'`)).toContain(
    '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;',
  );
});
