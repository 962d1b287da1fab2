import { randomUUID } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { interactionIn } from '@proviso/channels';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../caller.ts';
import { queries } from '../forms.ts';
import { html } from '../html.ts';
import { readerOf, sendPage } from '../page.ts';
import { PARTS, type Parts } from '../parts.ts';
import { notFound, queryOf } from '../parsing.ts';
import { Problem } from '../problem.ts';
import { freshMs } from '../provider.ts';
import { signedBodyOf } from '../signed-body.ts';
import { linkingKey } from './slack-link.ts';

/** Slack over HTTP, and the page on which people become known there. */
@Controller('slack')
export class SlackController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  /** One address for presses, forms, commands and events. The answer goes out after whatever it says is durable. */
  @Post('events')
  @HttpCode(200)
  async hear(@Req() request: FastifyRequest): Promise<object> {
    queryOf(request, queries.none);
    const { slack } = this.#parts;
    if (slack === null) throw notFound();
    const isForm = !String(request.headers['content-type']).startsWith('application/json');
    const interaction = interactionIn(signedBodyOf(request), isForm);
    if (interaction === null) throw new Problem('malformed_request', 'expected something that Slack sends');
    return (await slack.hear(interaction)) ?? {};
  }

  @Get('link')
  async link(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const reader = await readerOf(this.#parts, caller);
    const content = html`<h1>Link your Slack account</h1>${this.#linkPart(caller)}`;
    return sendPage(reply, 200, { title: 'Slack', content, reader });
  }

  #linkPart({ workspace, person, session }: ReturnType<typeof callerOf>) {
    const { slack, now } = this.#parts;
    if (slack === null || slack.workspace !== workspace) return html`<p class="lead">Slack is not set up here.</p>`;
    const authenticatedAt = session?.authenticatedAt ?? null;
    if (authenticatedAt === null || now() - authenticatedAt > freshMs)
      return html`<p>Whoever links an account gives it their rights, so it wants somebody who has just signed in.</p>
<div class="buttons"><a class="button go" href="/login?fresh=true&amp;to=%2Fslack%2Flink">Sign in again</a></div>`;
    const code = slack.links.seal({ workspace, person: person.id, key: linkingKey(randomUUID()), authenticatedAt });
    return html`<p class="lead">Type this in Slack, in any conversation, within five minutes. Nobody else sees it there.</p>
<p><code data-command>/proviso link ${code}</code></p>
<p class="soft">Type it only in your own Slack account: whoever types it votes as you from then on.</p>`;
  }
}
