/** The file of the contexts that users added. The rules for other releases are in src/stored/file.ts. */

import * as z from 'zod';
import type { StoredFile } from '../stored/file.ts';
import { readerOf } from '../stored/reader.ts';

const context = z.object({
  name: z.string(),
  urls: z.array(z.string()),
  user: z.string().optional(),
  password: z.string().optional(),
  token: z.string().optional(),
  caFile: z.string().optional(),
});

const content = z.object({
  /** The context in use, of any source. */
  current: z.string().optional(),
  contexts: z.array(context),
});

export type StoredContext = z.output<typeof context>;
export type StoredContexts = z.output<typeof content>;

export const contextsFile: StoredFile<StoredContexts> = { format: 1, read: readerOf(content) };
