/** Converts an app's `executor`, `cmd`, `args` and `container` to the form of a Mesos task. */

import { type ContainerProblem, findContainerProblem } from '../../../executor/domain/container-check.ts';
import { type DockerTask, isImageName } from '../../../executor/task-data.ts';
import { type App, declaredPorts, hasOwnNetwork, imageOf, portsOf } from '../../domain/app.ts';
import { flatId } from '../../domain/app-id.ts';
import { COMMAND_EXECUTOR, findContainerizerProblem } from '../../domain/containerizer.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { isPersistent, isResident, persistentVolumesOf } from '../../domain/residency.ts';
import { isRelative, namesIn, targetOf } from '../../domain/sandbox-volumes.ts';
import type { Settings } from '../../domain/settings.ts';
import type { Task } from '../../domain/task.ts';
import { taskPorts } from '../../domain/task-ports.ts';
import { optionsOf } from './container-options.ts';
import { splitCommand } from './split-command.ts';
import { findUnsupportedField } from './unsupported-fields.ts';

export type Form =
  /** `TaskInfo.command`, run by Mesos' command executor. */
  | { readonly type: 'command' }
  /** One executor for many tasks, which reads everything from `TaskInfo.data`. */
  | { readonly type: 'shared' }
  /**
   * As `shared`, with an executor for this task alone: Mesos fetches URIs, and mounts volumes, for an executor, not for
   * one of its tasks.
   */
  | { readonly type: 'single' }
  /** As in 2013: each task has an executor of its own, with `cmd` as its arguments. */
  | { readonly type: 'own'; readonly path: string }
  /** `TaskInfo.container`, run by one of Mesos' own containerizers. */
  | { readonly type: 'docker' | 'mesos'; readonly withoutImage?: boolean };

/** @returns the containerizer of the agents that runs tasks of this form */
export function ownContainerizer({ type }: Form): App['containerizer'] {
  return type === 'docker' || type === 'mesos' ? type : undefined;
}

export function formOf(app: App, settings: Settings): Form {
  if (app.containerizer !== undefined) {
    return { type: app.containerizer, ...(imageOf(app) === undefined && { withoutImage: true }) };
  }
  const isDefault = app.executor === '' || (app.executor === COMMAND_EXECUTOR && describesContainer(app));
  const path = isDefault ? defaultPath(app, settings) : app.executor;
  if (path === '' || path === COMMAND_EXECUTOR) return { type: 'command' };
  if (path !== settings.dockerExecutor.path) return { type: 'own', path };
  return { type: app.fetch.length === 0 && !isResident(app) ? 'shared' : 'single' };
}

/** In v2 an image implies the Docker executor; in v1 it does not. */
function defaultPath(app: App, settings: Settings): string {
  return describesContainer(app) ? settings.dockerExecutor.path : settings.defaultExecutor;
}

/** True if v2's fields describe the container, false if the words of a command do, as in 2013. */
function describesContainer(app: App): boolean {
  return app.api === 'v2' && imageOf(app) !== undefined;
}

/** Finds problems that would prevent every launch, when the app is created or changed. */
export function findLaunchProblem(app: App, settings: Settings): FieldError | undefined {
  if (isResident(app) && settings.role === '*') {
    const i = app.container?.volumes.findIndex(isPersistent) ?? 0;
    const error =
      "needs a scheduler with a role of its own, since resources can't be reserved for '*': start it with --mesos_role";
    return { path: ['container', 'volumes', i, 'persistent'], error };
  }
  const misnamed = findContainerizerProblem(app);
  if (misnamed) return misnamed;
  const form = formOf(app, settings);
  const containerizer = ownContainerizer(form);
  const image = imageOf(app);
  const hasCommand = (app.cmd ?? '').trim() !== '' || (app.args ?? []).length > 0;
  if (!hasCommand && (form.type === 'command' || image === undefined)) {
    return { path: ['cmd'], error: 'may not be empty' };
  }
  if (containerizer !== undefined) {
    const problem = image === undefined ? undefined : findImageProblem(image);
    return problem ?? findUnsupportedField(app, containerizer);
  }
  if (form.type === 'own' && app.api === 'v2' && needsContainer(app)) {
    const error = `can't be ${form.path} with a container: Marathon would run the executor in it; leave one of them out`;
    return { path: ['executor'], error };
  }
  if (form.type !== 'shared' && form.type !== 'single') return undefined;
  if (app.api === 'v2' && image === undefined && !isResident(app) && needsContainer(app)) {
    const error =
      "may not be empty with the Docker executor, which would ignore the container's other fields";
    return { path: ['container', 'docker'], error };
  }
  if (isResident(app) && app.container?.docker === undefined) {
    const error =
      'may not be empty with persistent volumes, which the Docker executor mounts into that container';
    return { path: ['container', 'docker'], error };
  }
  const ports = portsOf(app).map(() => 0);
  const container = containerOf(app, shellEnv(app, ports));
  if ('problem' in container) return { path: [container.field], error: container.problem };
  const found = findContainerProblem({ ...container, env: app.env });
  return found && { path: pathOf(found, app), error: found.problem };
}

/** @returns the field from which a part of the container came that its executor would refuse */
function pathOf({ field, name }: ContainerProblem, { api, container }: App): FieldError['path'] {
  if (field === 'env') return ['env', name ?? ''];
  if (field === 'image') return ['container'];
  if (api === 'v1') return ['container', 'options'];
  const { image = '', parameters = [] } = container?.docker ?? {};
  const index = parameters.findIndex(({ key, value }) =>
    findContainerProblem({ image, env: {}, options: [`--${key}=${value}`] }),
  );
  return ['container', 'docker', ...(index < 0 ? ['options'] : ['parameters', index])];
}

function needsContainer({ container, networks }: App): boolean {
  if (container === undefined) return false;
  const { docker, volumes } = container;
  return docker !== undefined || volumes.length > 0 || hasOwnNetwork({ container, networks });
}

function findImageProblem(image: string): FieldError | undefined {
  return isImageName(image) ? undefined : { path: ['container'], error: notAnImage(image) };
}

function notAnImage(image: string): string {
  return `'${image}' is not an image name`;
}

/** @returns the part of the container that is the same for all tasks */
export function containerOf(
  app: App,
  env: Readonly<Record<string, string>>,
): Omit<DockerTask, 'env' | 'ports'> | { field: 'cmd' | 'container'; problem: string } {
  if (describesContainer(app)) {
    const image = imageOf(app) ?? '';
    if (!isImageName(image)) return { field: 'container', problem: notAnImage(image) };
    const { entrypoint, args } = entrypointOf(app);
    const options = [...optionsOf(app), ...entrypoint];
    return { image, args, ...passedToExecutor(app), ...sandboxVolumesOf(app), options };
  }
  const split = splitCommand(app.cmd ?? '', env);
  if ('problem' in split) return { field: 'cmd', problem: split.problem };
  const args = [...split.words];
  const named = imageOf(app);
  const image = named ?? args.shift() ?? '';
  const field = named === undefined ? 'cmd' : 'container';
  if (!isImageName(image)) return { field, problem: notAnImage(image) };
  return { image, args, ...passedToExecutor(app), options: [...(app.container?.docker?.options ?? [])] };
}

/**
 * Passes fields of `container.docker` on that the executor declares under the same name; the others become options.
 * They must be optional, since executors of older releases reject tasks with unknown fields.
 */
function passedToExecutor({ container }: App) {
  if (!container?.docker) return {};
  const {
    image: _image,
    privileged: _privileged,
    parameters: _parameters,
    options: _options,
    init: _init,
    shmSize: _shmSize,
    ulimits: _ulimits,
    tmpfs: _tmpfs,
    workdir: _workdir,
    log: _log,
    forcePullImage,
    ...same
  } = container.docker;
  const volumes = persistentVolumesOf({ container });
  const persistentVolumes = volumes.length > 0 && {
    persistentVolumes: volumes.map(({ containerPath }) => containerPath),
  };
  const passed: SameInExecutor<typeof same> = same;
  return { ...passed, ...(forcePullImage && { forcePull: true }), ...persistentVolumes };
}

/** The executor makes the directories, since it knows where the sandbox of a task is. */
function sandboxVolumesOf({ sandboxVolumes, container }: App): Pick<DockerTask, 'sandboxVolumes'> {
  if (!sandboxVolumes) return {};
  const relative = (container?.volumes ?? []).filter(isRelative);
  return {
    sandboxVolumes: relative.map((volume) => ({
      names: namesIn(volume.hostPath ?? ''),
      target: targetOf(volume),
      readOnly: volume.mode === 'RO',
    })),
  };
}

/** A field that the executor does not declare, or that is not optional, is a compile error. */
type SameInExecutor<T> = {
  [K in keyof T]: K extends keyof DockerTask ? (undefined extends T[K] ? DockerTask[K] : never) : never;
};

/**
 * `cmd` runs in a shell in the container, `args` are passed to the image's entry point, as in Mesos' Docker support.
 */
function entrypointOf({ cmd, args }: App): { entrypoint: string[]; args: string[] } {
  if (cmd !== undefined && cmd.trim() !== '') {
    return { entrypoint: ['--entrypoint', '/bin/sh'], args: ['-c', cmd] };
  }
  return { entrypoint: [], args: [...(args ?? [])] };
}

/** @returns the port mappings of the app; undefined if the EXPOSEd ports of the image are mapped instead */
export function mappedPorts(app: App, hostPorts: readonly number[]): DockerTask['ports'] {
  if (!describesContainer(app)) return undefined;
  if (!hasOwnNetwork(app)) return [];
  return portsOf(app).flatMap(({ containerPort, protocol }, i) => {
    const host = hostPorts[i] ?? 0;
    return protocol.split(',').map((one) => ({ host, container: containerPort || host, protocol: one }));
  });
}

/** Sets `PORT0`…, `PORT` and `PORTS` to a task's host ports. */
function portEnv(ports: readonly number[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [i, port] of ports.entries()) env[`PORT${i}`] = String(port);
  if (ports[0] !== undefined) env.PORT = String(ports[0]);
  env.PORTS = ports.join(',');
  return env;
}

/** The environment of plain commands in v1: the scheduler's variables take precedence. */
export function shellEnv(app: App, ports: readonly number[]): Record<string, string> {
  return { ...app.env, ...portEnv(ports) };
}

/** The environment of a container: the app's variables take precedence, in v1 because the original executor did so. */
export function containerEnv(app: App, task: Task): Record<string, string> {
  return { ...(app.api === 'v2' ? marathonEnv(app, task) : portEnv(task.ports)), ...app.env };
}

/** The environment of a plain command. */
export function commandEnv(app: App, task: Task): Record<string, string> {
  return app.api === 'v2' ? { ...marathonEnv(app, task), ...app.env } : shellEnv(app, task.ports);
}

/**
 * Sets the port variables of v2: `PORT0`… for all ports of the app, published or not; `PORT_<port>` and `PORT_<name>`; in
 * `PORT` and `PORTS`, only ports that the task does not choose itself. Source: Marathon's EnvironmentHelper.
 */
function marathonPorts(app: App, task: Pick<Task, 'ports'>): Record<string, string> {
  const env: Record<string, string> = {};
  const declared = declaredPorts(app);
  const assigned: number[] = [...task.ports];
  for (const [i, { hostPort, containerPort, servicePort, name }] of taskPorts(app, task.ports).entries()) {
    const port = hostPort ?? containerPort ?? 0;
    if (hostPort === undefined && !declared[i]?.containerPort) assigned.push(port);
    env[`PORT${i}`] = String(port);
    const number = hasOwnNetwork(app) ? declared[i]?.containerPort : servicePort;
    env[`PORT_${number || port}`] = String(port);
    if (name === undefined) continue;
    env[`PORT_${variableName(name)}`] = String(port);
    // Marathon keeps the dash, which no shell can read.
    env[`PORT_${name.toUpperCase()}`] = String(port);
  }
  if (assigned[0] !== undefined) env.PORT = String(assigned[0]);
  env.PORTS = assigned.join(',');
  return env;
}

/** Marathon leaves longer labels out of the environment. */
const MAX_LABEL_LENGTH = 512;

/** Source: Marathon's EnvironmentHelper and TaskBuilder. */
function marathonEnv(app: App, task: Task): Record<string, string> {
  const env: Record<string, string> = {
    MESOS_TASK_ID: task.id,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: task.version,
    MARATHON_APP_RESOURCE_CPUS: String(app.cpus),
    MARATHON_APP_RESOURCE_MEM: String(app.mem),
    MARATHON_APP_RESOURCE_DISK: String(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    HOST: task.host,
    ...marathonPorts(app, task),
  };
  const image = imageOf(app);
  if (image !== undefined) env.MARATHON_APP_DOCKER_IMAGE = image;
  const names = Object.entries(app.labels).filter(([, value]) => value.length <= MAX_LABEL_LENGTH);
  for (const [label, value] of names) env[`MARATHON_APP_LABEL_${variableName(label)}`] = value;
  env.MARATHON_APP_LABELS = names.map(([label]) => variableName(label)).join(' ');
  return env;
}

function variableName(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9_]+/g, '_');
}

/** Returns `<app>_<n>-<milliseconds>`, as v1 names tasks, or `<app>.instance-<uuid>._app.1`, as v2 does. */
export function taskId(app: App, number: number, uuid: string, now: number): string {
  const name = flatId(app.id);
  return app.api === 'v1' ? `${name}_${number}-${now}` : `${name}.instance-${uuid}._app.1`;
}
