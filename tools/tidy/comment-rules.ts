import { comments, type Finding, lineAt, type Source } from './source.ts';

const UNNUMBERED = /\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d+)/;
const BANNER = /[-=*#~─═]{6,}/;
/** Ends like a statement and starts like one: prose does neither. */
const CODE = /^\s*(const|let|var|import|export|return|await|if \(|for \(|while \(|\}|[\w.]+\().*[;{}]\s*$/;

/** What a comment may not be: an open end, a decoration, switched-off code or a switched-off compiler. */
export function commentForm(source: Source): Finding[] {
  return comments(source).flatMap(({ text, position }) => {
    const line = lineAt(source, position);
    const found = (rule: string, message: string): Finding => ({ path: source.path, line, rule, message });
    const body = text.replace(/^\/\*+|\*\/$|^\/\//g, '');
    const findings: Finding[] = [];
    if (UNNUMBERED.test(body)) findings.push(found('todo', "expected an issue's number, as in (#12)"));
    if (BANNER.test(body)) findings.push(found('banner', 'expected a sentence, got a decoration'));
    if (text.startsWith('//') && CODE.test(body)) {
      findings.push(found('commented-out', 'expected a reason, got code; git remembers it'));
    }
    if (/@ts-(ignore|nocheck)/.test(body) || (/@ts-expect-error/.test(body) && !source.isTest)) {
      findings.push(found('ts-ignore', 'expected the type to be put right, got a switched-off compiler'));
    }
    return findings;
  });
}
