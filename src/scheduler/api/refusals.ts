/** Answers to requests that are refused before they reach their route. */

import type { FastifyReply } from 'fastify';
import { json } from './answers.ts';
import type { Checked } from './authenticator.ts';

export function refuseForeign(reply: FastifyReply): FastifyReply {
  const message =
    "Requests with the cookie of a session are accepted from this scheduler's own page only: the browser must send Origin or Sec-Fetch-Site";
  return json(reply, { message }, 403);
}

export function refuseBusy(
  reply: FastifyReply,
  checked: Exclude<Checked, string | { readonly user: unknown }> | 'busy',
): FastifyReply {
  if (checked === 'busy')
    return json(reply, { message: 'Too many passwords are being checked' }, 503, { 'Retry-After': '1' });
  const seconds = String(Math.ceil(checked.waitMs / 1000));
  const message = `Too many wrong passwords: try again in ${seconds} s`;
  return json(reply, { message }, 429, { 'Retry-After': seconds });
}
