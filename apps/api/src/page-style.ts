import { createHash } from 'node:crypto';

/** The whole look of the pages. Colours hold WCAG AA in both schemes; state is said in words, colour only repeats it. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #545d68; --ground: #f6f7f9; --card: #fff; --line: #d3d8de;
  --link: #0b57c2; --go: #146c34; --stop: #b3261e; --warn: #7a4d00; --warn-ground: #fff4dc; --no-ground: #fdecea; --yes-ground: #e8f5ec; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a9b1bb; --ground: #14171a; --card: #1d2125; --line: #3a4148;
  --link: #8ab8ff; --go: #1f7a3f; --stop: #b3362d; --warn: #ffd68a; --warn-ground: #3a2c0c; --no-ground: #431b18; --yes-ground: #14351f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
header a { font-weight: 650; color: var(--ink); text-decoration: none; margin-right: auto; }
header a.soft { font-weight: 400; color: var(--soft); margin-right: 0; text-decoration: underline; }
header form { display: inline; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
a { color: var(--link); }
.lead { font-size: 1.1rem; margin: 0 0 .5rem; }
.soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0; }
section p { margin: .35rem 0; }
.told { border-left: .35rem solid var(--line); padding: .75rem 1rem; border-radius: .25rem; margin: 1rem 0; }
.told p { margin: 0; } .told p + p { margin-top: .35rem; }
.no { border-color: var(--stop); background: var(--no-ground); }
.yes { border-color: var(--go); background: var(--yes-ground); }
.warn { border-color: var(--warn); background: var(--warn-ground); }
blockquote { margin: .15rem 0 .75rem; white-space: pre-line; }
ul { margin: .25rem 0; padding-left: 1.25rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); }
tr:first-child th, tr:first-child td { border-top: 0; }
th { font-weight: 600; white-space: nowrap; width: 1%; padding-right: 1.5rem; }
code { font: .875rem/1.4 ui-monospace, monospace; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
textarea, select, input:not([type=hidden]) { width: 100%; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: .35rem; padding: .5rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .9rem; }
button, .button { font: inherit; font-weight: 600; padding: .55rem 1.1rem; border-radius: .35rem; border: 1px solid var(--soft); background: var(--card); color: var(--ink); cursor: pointer; text-decoration: none; display: inline-block; min-height: 2.75rem; }
.go { background: var(--go); border-color: var(--go); color: #fff; }
.stop { background: var(--stop); border-color: var(--stop); color: #fff; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
summary { cursor: pointer; font-weight: 600; }
`;

const styleHash = createHash('sha256').update(pageStyle).digest('base64');

/**
 * What a browser may do with our pages: show them, with this very style, and send their forms to us. No script at all,
 * no frame around them. `forms` names where else a form's answer may lead: browsers ask that of redirects too.
 */
export function contentSecurityPolicy(forms: readonly string[] = []): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    'img-src data:',
    `form-action ${["'self'", ...forms].join(' ')}`,
    ...["base-uri 'none'", "frame-ancestors 'none'"],
  ].join('; ');
}
