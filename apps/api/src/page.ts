import type { FastifyReply } from 'fastify';
import { formTokenOf } from './browser-session.ts';
import type { Caller } from './caller.ts';
import { type Html, html } from './html.ts';
import { contentSecurityPolicy, pageStyle } from './page-style.ts';
import type { Parts } from './parts.ts';

/** One page: what stands in the tab, what stands on it, and who is signed in. */
export interface Page {
  readonly title: string;
  readonly content: Html;
  readonly reader?: Reader | null;
  /** Where a form's answer may lead beside us. */
  readonly leadsTo?: readonly string[];
}

/** Who is signed in in this browser, as shown, and what proves that a form comes from their page. */
export interface Reader {
  readonly name: string;
  readonly formToken: string;
}

/** Sends a page. No address of ours is told to others, since gates' ids stand in them. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  void reply.headers({
    'content-security-policy': contentSecurityPolicy(page.leadsTo),
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  return reply.code(status).type('text/html; charset=utf-8').send(textOf(page));
}

/** Sends the browser on with a GET, whatever it came with; `words` are for programs that stay. */
export function sendTo(
  reply: FastifyReply,
  address: string,
  { status = 303, words = null }: { readonly status?: 302 | 303; readonly words?: Html | null } = {},
): FastifyReply {
  return reply
    .code(status)
    .header('location', address)
    .type('text/html; charset=utf-8')
    .send(words?.html ?? '');
}

/** The person of a session, as their pages show them. */
export async function readerOf(parts: Pick<Parts, 'config'>, caller: Caller): Promise<Reader> {
  const names = await caller.reads.names([caller.person.id]);
  return { name: names[caller.person.id] ?? caller.person.id, formToken: formTokenOf(parts.config, caller) };
}

/** What each form of ours carries. */
export function formField({ formToken }: Reader): Html {
  return html`<input type="hidden" name="form" value="${formToken}">`;
}

function textOf({ title, content, reader = null }: Page): string {
  const signedIn =
    reader === null
      ? null
      : html`<a class="soft" href="/account">${reader.name}</a>
    <form method="post" action="/logout">${formField(reader)}<button>Sign out</button></form>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Proviso</title>
  <link rel="icon" href="data:,">
  <style>${{ html: pageStyle }}</style>
</head>
<body>
  <header><a href="/">Proviso</a>${signedIn}</header>
  <main>
${content}
  </main>
</body>
</html>
`;
  return page.html;
}
