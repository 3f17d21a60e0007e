/** The base class of commands that use the API of a scheduler. */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Flags, type Interfaces } from '@oclif/core';
import { ApiClient, basicAuthorization, tokenAuthorization } from '../client/api-client.ts';
import { ApiError } from '../client/api-error.ts';
import type { Context } from '../context/context.ts';
import { httpSend } from '../context/edge/http-send.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { didYouMean } from '../text/suggest.ts';
import { BaseCommand } from './base-command.ts';
import { userContexts } from './user-contexts.ts';

const MISSING_APP = /App '(\S+)' does not exist$/;
/** How long to wait for the ids of apps when none has the wanted one. */
const SUGGEST_MS = 1000;

export interface Connection {
  readonly client: ApiClient;
  readonly context: Context;
}

export abstract class ApiCommand extends BaseCommand {
  static override baseFlags = {
    context: Flags.string({
      summary:
        'The cluster, one of "mesosup context list". Default: $MESOSUP_URL, $MESOSUP_CONTEXT, the context in use, or the only one.',
      helpValue: 'CONTEXT',
      helpGroup: 'CONTEXT',
    }),
  };

  #client: ApiClient | undefined;

  /** Finds the context; nothing is sent yet. @throws UsageError, MesosupError */
  protected async connect(flags: { readonly context?: string | undefined }): Promise<Connection> {
    const contexts = userContexts();
    const context = await contexts.choose(flags.context);
    this.#client = await clientOf(context);
    return { context, client: this.#client };
  }

  /** Says which app was probably meant, if there is none with the id. */
  protected override async catch(error: Interfaces.CommandError): Promise<never> {
    const id =
      error instanceof ApiError && error.status === 404 ? MISSING_APP.exec(error.message)?.[1] : undefined;
    if (id === undefined || !this.#client) throw error;
    const limits = { patienceMs: 0, answerMs: SUGGEST_MS };
    const found = await this.#client
      .call('GET', '/v2/apps', { query: { fields: 'id' } }, limits)
      .catch(() => undefined);
    const hint = didYouMean(id, found?.apps.map((app) => app.id) ?? []);
    throw new ApiError(`${error.message}${hint}`, {
      status: 404,
      remedy: 'List the apps with: mesosup app list',
    });
  }
}

export async function clientOf(context: Context): Promise<ApiClient> {
  const { urls, credentials } = context;
  const authorization =
    credentials?.kind === 'password'
      ? basicAuthorization(credentials.user, credentials.password)
      : credentials && tokenAuthorization(credentials.token);
  return new ApiClient({
    urls,
    authorization,
    fetch: httpSend({ ca: await certificatesOf(context), caFile: context.caFile }),
  });
}

/** The certificates of the context's CA file, in PEM; undefined without one. @throws UsageError */
export async function certificatesOf({ caFile }: Context): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  try {
    const text = await readFile(caFile, 'utf8');
    createSecureContext({ ca: text });
    return text;
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`the CA file ${caFile} can't be used: ${message}`);
  }
}
