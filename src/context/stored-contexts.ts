/** The file of the contexts that users added. The rules for other releases are in src/stored/file.ts. */

import type { StoredFile } from '../stored/file.ts';
import { MismatchError } from '../stored/mismatch.ts';
import { readTexts, type TextFields } from '../stored/texts.ts';

export interface StoredContext {
  readonly name: string;
  readonly urls: readonly string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly caFile?: string | undefined;
}

export interface StoredContexts {
  /** The context in use, of any source. */
  readonly current?: string | undefined;
  readonly contexts: readonly StoredContext[];
}

const FIELDS: TextFields<StoredContext> = {
  name: 'text',
  urls: 'texts',
  user: 'optional text',
  password: 'optional text',
  token: 'optional text',
  caFile: 'optional text',
};

export const contextsFile: StoredFile<StoredContexts> = {
  format: 1,
  read: ({ contexts, ...rest }) => {
    if (!Array.isArray(contexts)) throw new MismatchError('has an unknown value', ['contexts']);
    return {
      ...readTexts<Pick<StoredContexts, 'current'>>(rest, { current: 'optional text' }),
      contexts: contexts.map((one, i) => readTexts(one, FIELDS, ['contexts', String(i)])),
    };
  },
};
