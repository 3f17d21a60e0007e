/** `/v2/session`: signing in and out with a browser. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { fieldErrors } from '../../domain/field-errors.ts';
import { endOf, type Session } from '../../sign-in/session.ts';
import { StoreError } from '../../store/store.ts';
import type { User } from '../access-rules.ts';
import { type Api, type ApiOptions, json, respond } from '../answers.ts';
import type { Authenticator } from '../authenticator.ts';
import { isFromElsewhere, originOf } from '../client-origin.ts';
import { type Identity, identify, sessionOf } from '../identify.ts';
import { refuseBusy, refuseForeign } from '../refusals.ts';
import { sessionCookie } from '../session-cookie.ts';
import { invalid } from './answers.ts';
import { type SessionJson, signIn } from './session-schemas.ts';

const PRIVATE = { 'Cache-Control': 'no-store' };
const CONFIG = { config: { role: 'none' } } as const;

/** @param authenticator undefined: there are no users */
export function addSessionRoutes(
  api: Api,
  { sessions }: ApiOptions,
  authenticator: Authenticator | undefined,
): void {
  const identityOf = async ({ raw }: FastifyRequest): Promise<Identity> =>
    authenticator ? identify(raw, authenticator, sessions) : 'unknown';
  const sessionJson = (user: User, session?: Session): SessionJson => ({
    required: true,
    user: user.name,
    role: user.role,
    ...(session && {
      expiresAt: new Date(endOf(session, sessions.limits)).toISOString(),
      idleSeconds: Math.floor(sessions.limits.idleMs / 1000),
    }),
  });

  api.get('/v2/session', CONFIG, async (request, reply) => {
    const nobody: SessionJson = authenticator ? { required: true } : { required: false, role: 'operator' };
    const identity = await identityOf(request);
    const known = typeof identity === 'object' && 'user' in identity ? identity : undefined;
    return json(reply, known ? sessionJson(known.user, known.session) : nobody, 200, PRIVATE);
  });

  api.post('/v2/session', CONFIG, async (request, reply) => {
    // A page elsewhere could sign a person in as someone else.
    if (isFromElsewhere(request.raw)) return refuseForeign(reply);
    if (!authenticator) {
      const message = 'This scheduler has no users: everyone may do everything without signing in';
      return json(reply, { message }, 409, PRIVATE);
    }
    const parsed = signIn.safeParse(request.body);
    if (!parsed.success) return invalid(reply, fieldErrors(parsed.error));
    const checked = await authenticator.check(parsed.data, originOf(request.raw));
    if (checked === 'wrong') {
      const wrong = 'token' in parsed.data ? 'The token is' : 'User or password are';
      return json(reply, { message: `${wrong} wrong` }, 401, PRIVATE);
    }
    if (checked === 'busy' || 'waitMs' in checked) return refuseBusy(reply, checked);
    request.user = checked.user;
    const before = sessionOf(request.raw, sessions);
    return withStore(reply, async () => {
      const { token, session } = await sessions.begin(checked);
      if (typeof before === 'object') await sessions.end(before.session.id);
      const cookie = { 'Set-Cookie': sessionCookie(request.raw, token) };
      return json(reply, sessionJson(checked.user, session), 200, { ...PRIVATE, ...cookie });
    });
  });

  api.delete('/v2/session', CONFIG, async (request, reply) => {
    // Browsers that know a password send it too: the session must end nevertheless.
    const found = sessionOf(request.raw, sessions);
    if (found === 'foreign' || isFromElsewhere(request.raw)) return refuseForeign(reply);
    const headers = { ...PRIVATE, 'Set-Cookie': sessionCookie(request.raw, '') };
    return withStore(reply, async () => {
      if (found) {
        request.user = found.user;
        await sessions.end(found.session.id);
      }
      return respond(reply, 204, headers);
    });
  });
}

async function withStore(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const message = 'The session could not be stored; try again in a moment';
    return json(reply, { message }, 503, { ...PRIVATE, 'Retry-After': '1' });
  }
}
