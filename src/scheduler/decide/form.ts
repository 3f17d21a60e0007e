/** How an app's `executor`, `cmd` and `container` become a Mesos task. */

import type { DockerTask } from '../../executor/task-data.ts';
import { type App, imageName } from '../domain/app.ts';
import type { Settings } from '../domain/settings.ts';
import type { FieldError } from './inputs.ts';
import { splitCommand } from './words.ts';

export type Form =
  /** `TaskInfo.command`, run by Mesos itself. */
  | { readonly type: 'command' }
  /** One executor for many tasks, which finds everything in `TaskInfo.data`. */
  | { readonly type: 'shared' }
  /** As in 2013: each task has an executor of its own, with `cmd` as its arguments. */
  | { readonly type: 'own'; readonly path: string };

export function formOf(app: App, settings: Settings): Form {
  const path = app.executor === '' ? settings.defaultExecutor : app.executor;
  if (path === '' || path === '//cmd') return { type: 'command' };
  // Mesos fetches URIs for an executor, not for one of its tasks.
  const shared = path === settings.dockerExecutor.path && app.uris.length === 0;
  return shared ? { type: 'shared' } : { type: 'own', path };
}

/** Why no task of this app could ever be launched, told when it is started. */
export function launchProblem(app: App, settings: Settings): FieldError | undefined {
  const form = formOf(app, settings);
  if (app.cmd.trim() === '' && (form.type === 'command' || !app.container)) {
    return { attribute: 'cmd', error: 'may not be empty' };
  }
  if (form.type !== 'shared') return undefined;
  const container = containerOf(app, shellEnv(app, app.ports.length > 0 ? app.ports : [0]));
  return 'problem' in container ? { attribute: container.attribute, error: container.problem } : undefined;
}

const IMAGE = /^[A-Za-z0-9][\w./:@-]*$/;

/** Image and arguments: the first word of `cmd` is the image unless the app names one. */
export function containerOf(
  app: App,
  env: Readonly<Record<string, string>>,
): Pick<DockerTask, 'image' | 'args'> | { attribute: 'cmd' | 'container'; problem: string } {
  const split = splitCommand(app.cmd, env);
  if ('problem' in split) return { attribute: 'cmd', problem: split.problem };
  const args = [...split.words];
  const attribute = app.container ? 'container' : 'cmd';
  const image = app.container ? imageName(app.container.image) : (args.shift() ?? '');
  if (!IMAGE.test(image)) return { attribute, problem: `'${image}' is not the name of an image` };
  return { image, args };
}

/** `PORT0`…, `PORT` and `PORTS` for a task's host ports. */
function portEnv(ports: readonly number[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [i, port] of ports.entries()) env[`PORT${i}`] = String(port);
  if (ports[0] !== undefined) env.PORT = String(ports[0]);
  env.PORTS = ports.join(',');
  return env;
}

/** The environment of v1 tasks as the scheduler gives it: its own variables win. */
export function shellEnv(app: App, ports: readonly number[]): Record<string, string> {
  return { ...app.env, ...portEnv(ports) };
}

/** The environment of v1 containers: the original executor let the app's own variables win in turn. */
export function containerEnv(app: App, ports: readonly number[]): Record<string, string> {
  return { ...portEnv(ports), ...app.env };
}
