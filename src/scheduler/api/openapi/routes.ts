/** `/v2/openapi.json`, and the same document as an HTML page. */

import { type Api, respond } from '../answers.ts';
import type { OpenApi } from './document.ts';

export function addOpenApiRoutes(api: Api, version: string): void {
  let made: Promise<OpenApi> | undefined;
  // Loaded and generated on the first request: few clients need it, and loading it would delay every start.
  const description = () => {
    made ??= import('./openapi.ts').then(({ openApi }) => openApi(version));
    return made;
  };
  api.get('/v2/openapi.json', async (_request, reply) => {
    // The same for viewers: its field `env` contains a schema, no values to hide.
    const body = Buffer.from(JSON.stringify(await description()));
    const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
    return respond(reply, 200, headers, [body]);
  });
  api.get('/v2/openapi', async (_request, reply) => {
    const { openApiPage } = await import('./page.ts');
    const body = Buffer.from(openApiPage(await description()));
    return respond(
      reply,
      200,
      {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': String(body.length),
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      },
      [body],
    );
  });
}
