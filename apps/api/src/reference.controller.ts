import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { queries } from './forms.ts';
import { queryOf } from './parsing.ts';

/**
 * The page runs one script, our own copy, and talks to nobody but us: a token that is typed in to try a request cannot
 * leave. Styles are inline because the script makes them while it runs; they cannot load anything either.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  ...[
    "script-src 'self'",
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
  ],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

/** Scalar's settings: nothing from or to its makers' servers, and no token kept when the page is closed. */
const settings = {
  ...{ url: '/v1/openapi.json', telemetry: false, withDefaultFonts: false, persistAuth: false },
  ...{ showDeveloperTools: 'never', hideClientButton: true, agent: { disabled: true }, mcp: { disabled: true } },
} as const;

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Proviso API</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <noscript>The description itself: <a href="/v1/openapi.json">/v1/openapi.json</a></noscript>
    <script id="api-reference" data-configuration="${JSON.stringify(settings).replaceAll('"', '&quot;')}"></script>
    <script src="/reference/scalar.js"></script>
  </body>
</html>
`;

/** The API's reference for people, made in the browser from the same description that machines read. */
@Controller('reference')
export class ReferenceController {
  #script: Promise<{ readonly bytes: Buffer; readonly tag: string }> | null = null;

  @Get()
  show(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    reply.headers({ 'content-security-policy': contentSecurityPolicy, 'referrer-policy': 'no-referrer' });
    return reply.type('text/html; charset=utf-8').send(page);
  }

  @Get('scalar.js')
  async script(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    this.#script ??= readScript();
    const { bytes, tag } = await this.#script;
    reply.headers({ etag: tag, 'cache-control': 'no-cache' });
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    return reply.type('text/javascript; charset=utf-8').send(bytes);
  }
}

/** The one file that we use of the package; read at the first request, since most processes never show it. */
async function readScript() {
  const entry = createRequire(import.meta.url).resolve('@scalar/fastify-api-reference');
  const bytes = await readFile(join(dirname(entry), 'js', 'standalone.js'));
  return { bytes, tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}
