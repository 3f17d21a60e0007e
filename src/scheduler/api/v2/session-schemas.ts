/** Schemas of the requests and answers about sessions of people in browsers. */

import * as z from 'zod';
import { ROLES } from '../access-rules.ts';
import { type Shown, time } from '../openapi/shown.ts';

/** Longer texts are no one's password, and need not be hashed. */
const MAX_LENGTH = 1000;

const secret = z.string({ error: 'must be a text' }).min(1, 'must not be empty').max(MAX_LENGTH);
const reason = { error: 'must be user and password, or a token' };

/** The body that begins a session. */
export const signIn = z.union(
  [z.strictObject({ user: secret, password: secret }), z.strictObject({ token: secret })],
  reason,
);

const session = z.object({
  required: z.boolean().meta({
    description: 'False: this scheduler has no users, so that everyone may do everything without a session',
  }),
  user: z.string().optional().meta({ description: 'Absent: not signed in, or no one needs to' }),
  role: z.enum(ROLES).optional().meta({ description: 'What the user may do; absent: nothing' }),
  expiresAt: time.optional().meta({ description: 'When the session ends at the latest' }),
  idleSeconds: z
    .number()
    .optional()
    .meta({ description: 'The session ends so long after its last request. An open event stream counts' }),
});

/** Named as in the API's description. */
export const sessionSchemas = { Session: session };

export type SessionJson = Shown<typeof session>;
