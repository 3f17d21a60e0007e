/** Schemas of the requests and answers about exec sessions. */

import * as z from 'zod';
import { time } from '../openapi/shown.ts';

const MAX_WORDS = 1000;
const MAX_VARIABLES = 1000;
const MAX_SIZE = 65_535;

const word = z.string().refine((text) => !text.includes('\0'), 'must not contain a NUL character');
const size = z
  .int({ error: `must be a whole number from 1 to ${MAX_SIZE}` })
  .min(1)
  .max(MAX_SIZE);

/** The body that creates a session. */
export const exec = z
  .strictObject({
    argv: z
      .array(word, { error: 'must be an array of strings: the program and its arguments' })
      .min(1, 'must contain at least the program')
      .max(MAX_WORDS)
      .refine(([program]) => program !== '', 'must begin with the program')
      .meta({ description: 'The program and its arguments; no shell reads them' }),
    tty: z.boolean().default(false).meta({ description: 'Run the command in a terminal' }),
    environment: z
      .record(word.regex(/^[^=]+$/, 'must be the name of a variable'), word)
      .default({})
      .refine((all) => Object.keys(all).length <= MAX_VARIABLES, `at most ${MAX_VARIABLES} variables`)
      .meta({ description: 'Added to the environment of the container' }),
    user: word.min(1).optional().meta({ description: "Default: the container's user" }),
    workingDirectory: word
      .regex(/^\//, 'must be an absolute path')
      .optional()
      .meta({ description: "Default: the container's working directory" }),
    columns: size.optional().meta({ description: 'Width of the terminal; needs rows and tty' }),
    rows: size.optional().meta({ description: 'Height of the terminal; needs columns and tty' }),
  })
  .superRefine(({ tty, columns, rows }, context) => {
    const field = columns !== undefined ? 'columns' : rows !== undefined ? 'rows' : undefined;
    if (field === undefined) return;
    const message = tty ? 'columns and rows must be set together' : 'has no effect without tty';
    if (!tty || columns === undefined || rows === undefined)
      context.addIssue({ code: 'custom', path: [field], message });
  });

/** Named as in the API's description. */
export const execSchemas = {
  ExecSession: z.object({
    id: z.string(),
    url: z.string().meta({ description: 'Path of the WebSocket' }),
    expiresAt: time.meta({ description: 'When the session can no longer begin' }),
  }),
};
