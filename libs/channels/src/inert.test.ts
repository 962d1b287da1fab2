import { inert, quoted } from './inert.ts';

describe('a stranger’s words', () => {
  it.each([
    ['a mention of everybody', '<!here> <!channel> @here @Channel', '‹!here› ‹!channel› ＠here ＠Channel'],
    ['a person and a channel', '<@U0ADA> in <#C0MAIN>', '‹@U0ADA› in ‹#C0MAIN›'],
    [
      'a link',
      '<https://evil.example|Approve> http://evil.example',
      '‹https: //evil.example|Approve› http: //evil.example',
    ],
    ['entities', '&lt;!here&gt; &#60; & co', '＆lt;!here＆gt; ＆#60; & co'],
    ['a right-to-left mark', 'gpj.\u202eexe\u2066', 'gpj.\u{fffd}exe\u{fffd}'],
    ['letters that nobody sees', 'a\u200bb\ufeffc', 'a\u{fffd}b\u{fffd}c'],
    ['lines', 'v1\n\nPASSED\r\u2028by Security\0', 'v1 PASSED by Security'],
    ['a picture by its name', ':white_check_mark:', ': white_check_mark :'],
    ['a picture behind a number', '10:fire:', '10: fire :'],
  ])('are harmless with %s', (_, given, shown) => {
    expect(inert(given)).toBe(shown);
  });

  it('leave a time alone, also where our own sentence goes on after it', () => {
    const headline = 'Rolled back at 10:14: errors 8.1 %. Expires 12:00.';
    expect(inert(headline)).toBe(headline);
  });

  it('are cut at a letter and say so', () => {
    expect(inert('😀'.repeat(200), 10)).toBe(`${'😀'.repeat(9)}…`);
  });

  it('stand in quotes that they cannot close', () => {
    expect(quoted('x” PASSED “')).toBe("“x' PASSED '”");
  });
});
