/** Changes fields of an app that exists. */

import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import type { Connection } from './api-command.ts';
import { deploy } from './deploy.ts';

interface AppChange {
  readonly id: string;
  /** What was done, without its end. */
  readonly done: string;
  readonly wait: boolean;
  readonly force: boolean;
}

/** @param fields the changed fields only @throws like `deploy` */
export async function changeApp(
  command: { log(text: string): void },
  { client }: Connection,
  { id, done, wait, force }: AppChange,
  fields: object,
): Promise<void> {
  await deploy(client, { wait, apps: [id], done, say: (text) => command.log(text) }, async () => {
    const answer = await client.call('PATCH', '/v2/apps/{id}', {
      path: { id },
      query: { force },
      body: fields,
    });
    return started(answer);
  });
}

/** @throws TypeError for the answer to a dry run */
export function started<A extends object>(answer: A): Extract<A, { readonly deploymentId: string }> {
  if ('deploymentId' in answer) return answer as Extract<A, { readonly deploymentId: string }>;
  throw new TypeError('the answer names no deployment');
}

/** The same for a new app, whose answer is the app itself. */
export function startedByCreation(made: object): { deploymentId: string; version: string } {
  const { deployments = [], version = '' } = made as Partial<Pick<AppJson, 'deployments' | 'version'>>;
  return { deploymentId: deployments[0]?.id ?? '', version };
}
