/** Lets the scheduler check a definition with a dry run. */

import { useEffect, useState } from 'preact/hooks';
import type { RejectedField } from '../../../client/api-error.ts';
import { ApiError } from '../../../client/api-error.ts';
import type { Json } from '../../../json.ts';
import { api, errorText, SHORT } from '../../live/api.ts';
import { signedOut } from '../../live/feed.ts';

export type CheckResult =
  /** The user has not begun. */
  | { readonly kind: 'none' }
  | { readonly kind: 'checking' }
  | { readonly kind: 'valid'; readonly plan: DryRun }
  | { readonly kind: 'refused'; readonly message: string; readonly fields: readonly RejectedField[] };

/** The app that is changed, with the version that the user has seen. */
export interface EditedApp {
  readonly id: string;
  readonly version: string;
}

export interface DryRun {
  readonly steps: readonly {
    readonly actions: readonly { readonly action: string; readonly app: string }[];
  }[];
  readonly warnings?: readonly { readonly path: string; readonly message: string }[] | undefined;
}

const PAUSE_MS = 350;

/** Checks the definition again after each pause in typing. @param app to change; undefined for a new one */
export function useCheck(definition: Json, app: EditedApp | undefined, isBegun: boolean): CheckResult {
  const [result, setResult] = useState<CheckResult>({ kind: isBegun ? 'checking' : 'none' });
  const text = JSON.stringify(definition);
  useEffect(() => {
    if (!isBegun) return undefined;
    let isOver = false;
    const timer = setTimeout(async () => {
      const found = await checked(JSON.parse(text), app);
      if (!isOver) setResult(found);
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text, app?.id, app?.version, isBegun]);
  return result;
}

async function checked(definition: Json, app: EditedApp | undefined): Promise<CheckResult> {
  try {
    return { kind: 'valid', plan: (await submit(definition, app, { dryRun: true })) as DryRun };
  } catch (error) {
    if (signedOut(error)) return { kind: 'checking' };
    const fields = error instanceof ApiError ? error.fields : [];
    return { kind: 'refused', message: errorText(error), fields };
  }
}

/**
 * Creates or changes the app: the definition is complete, so what it leaves out is removed.
 * @throws ApiError with the status 412 if somebody else has changed the app meanwhile
 */
export function submit(
  definition: Json,
  app: EditedApp | undefined,
  { dryRun = false, force = false }: { dryRun?: boolean; force?: boolean } = {},
): Promise<unknown> {
  const flags = { ...(dryRun && { dryRun, embed: 'draft' }), ...(force && { force }) };
  // The scheduler checks what the user has typed.
  const body = definition as never;
  if (app === undefined) return api.call('POST', '/v2/apps', { body, query: flags }, SHORT);
  const { id, version } = app;
  const query = { ...flags, partialUpdate: false, ifVersion: version };
  return api.call('PUT', '/v2/apps/{id}', { path: { id }, body, query }, SHORT);
}
