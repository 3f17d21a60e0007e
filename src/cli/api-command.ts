/** The base class of commands that use the API of a scheduler. */

import { readFile } from 'node:fs/promises';
import { setDefaultCACertificates } from 'node:tls';
import { Flags } from '@oclif/core';
import { ApiClient, basicAuthorization, tokenAuthorization } from '../client/api-client.ts';
import type { Context } from '../context/context.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { BaseCommand } from './base-command.ts';
import { userContexts } from './user-contexts.ts';

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

  /** Finds the context; nothing is sent yet. @throws UsageError, MesosupError */
  protected async connect(flags: { readonly context?: string | undefined }): Promise<Connection> {
    const contexts = userContexts();
    const context = await contexts.choose(flags.context);
    return { context, client: await clientOf(context) };
  }
}

export async function clientOf({ urls, credentials, caFile }: Context): Promise<ApiClient> {
  if (caFile !== undefined) await trustOnly(caFile);
  const authorization =
    credentials?.kind === 'password'
      ? basicAuthorization(credentials.user, credentials.password)
      : credentials && tokenAuthorization(credentials.token);
  return new ApiClient({ urls, authorization });
}

/** Verifies the certificates of all connections of this process with those in the file. @throws UsageError */
async function trustOnly(file: string): Promise<void> {
  try {
    setDefaultCACertificates([await readFile(file, 'utf8')]);
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`the CA file ${file} can't be used: ${message}`);
  }
}
