import { encodeTaskData } from '../../../executor/task-data.ts';
import type { CommandInfo, CommandUri, ExecutorInfo, Labels, TaskInfo } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';
import { hostLikeId } from '../../domain/app-id.ts';
import { agentCheck } from '../../domain/checks.ts';
import { persistentVolumesOf } from '../../domain/residency.ts';
import type { Settings } from '../../domain/settings.ts';
import type { Task } from '../../domain/task.ts';
import { killPolicy } from '../connection/calls.ts';
import type { Allotment } from '../placement/bin.ts';
import { commandOf, containerInfo } from './container-info.ts';
import { discoveryInfo } from './discovery-info.ts';
import {
  commandEnv,
  containerEnv,
  containerOf,
  type Form,
  mappedPorts,
  ownContainerizer,
  shellEnv,
} from './form.ts';
import { v1Json } from './v1-json.ts';

/** An executor of one task has no other task to wait for, but must wait for the first. */
const SINGLE_IDLE_SECONDS = '10';

/** Builds the TaskInfo for ACCEPT. */
export function taskInfo(
  app: App,
  form: Form,
  task: Task,
  allotment: Allotment,
  settings: Settings,
): TaskInfo {
  const check = agentCheck(app, task, ownContainerizer(form) !== undefined);
  return {
    name: hostLikeId(app.id),
    task_id: { value: task.id },
    agent_id: { value: task.agentId },
    resources: [...allotment.resources],
    ...commandOrExecutor(app, form, task, allotment, settings),
    discovery: discoveryInfo(app, task),
    ...(Object.keys(app.labels).length > 0 && { labels: labelsOf(app) }),
    ...(check && { health_check: check }),
    ...(app.taskKillGracePeriodSeconds !== undefined && {
      kill_policy: killPolicy(app.taskKillGracePeriodSeconds),
    }),
  };
}

function commandOrExecutor(
  app: App,
  form: Form,
  task: Task,
  allotment: Allotment,
  settings: Settings,
): Pick<TaskInfo, 'command' | 'container' | 'executor' | 'data'> {
  switch (form.type) {
    case 'command':
      return { command: command(app, commandOf(app), task) };
    case 'docker':
    case 'mesos':
      return {
        command: command(app, commandOf(app), task),
        container: containerInfo(app, form.type, task, settings),
      };
    case 'own':
      return { executor: ownExecutor(app, form.path, task, settings), data: encodeTaskData(v1Json(app)) };
    case 'single':
      return { executor: singleExecutor(app, task, settings), data: dockerData(app, task, settings) };
    case 'shared':
      return {
        executor: sharedExecutor(task.executorId ?? '', allotment, settings),
        data: dockerData(app, task, settings),
      };
  }
}

/** Mesos fills in defaults for omitted fields. Only `cmd` is ever interpreted by a shell, as its author wrote it. */
function command(app: App, words: CommandInfo, task: Task): CommandInfo {
  const variables = Object.entries(commandEnv(app, task)).map(([name, text]) => ({ name, value: text }));
  return {
    ...words,
    environment: { variables },
    ...(app.user !== undefined && { user: app.user }),
    ...(app.fetch.length > 0 && { uris: app.fetch.map((entry) => uriOf(app, entry)) }),
  };
}

function ownExecutor(app: App, path: string, task: Task, settings: Settings): ExecutorInfo {
  const { info } = settings.dockerExecutor;
  const isDocker = path === settings.dockerExecutor.path;
  return {
    type: 'CUSTOM',
    executor_id: { value: task.id },
    command: command(app, { value: `${path} ${wordsOf(app)}`.trimEnd(), shell: true }, task),
    name: hostLikeId(app.id),
    source: hostLikeId(app.id),
    ...(isDocker && info.labels && { labels: info.labels }),
    ...(isDocker && info.shutdown_grace_period && { shutdown_grace_period: info.shutdown_grace_period }),
  };
}

/** The arguments of an own executor. `cmd` is written for a shell, `args` are not. */
function wordsOf({ cmd, args = [] }: App): string {
  if (cmd !== undefined && cmd !== '') return cmd;
  return args.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

/**
 * The executor runs as root, so it gets none of the app's variables: PATH, LD_PRELOAD or NODE_OPTIONS would run the app's
 * code outside of its container.
 */
function singleExecutor(app: App, task: Task, settings: Settings): ExecutorInfo {
  const { info } = settings.dockerExecutor;
  const volumes = persistentVolumesOf(app).map(({ containerPath }) => containerPath);
  const variables = [
    { name: 'MESOSUP_EXECUTOR_IDLE_TIMEOUT', value: SINGLE_IDLE_SECONDS },
    // The supervisor takes everything else in the sandbox for fetched files.
    ...(volumes.length > 0 ? [{ name: 'MESOSUP_VOLUMES', value: volumes.join('/') }] : []),
  ];
  return {
    ...info,
    executor_id: { value: task.id },
    resources: [],
    command: {
      ...info.command,
      environment: { variables },
      uris: app.fetch.map((entry) => uriOf(app, entry)),
    },
  };
}

function sharedExecutor(id: string, { executorResources = [] }: Allotment, settings: Settings): ExecutorInfo {
  return { executor_id: { value: id }, ...settings.dockerExecutor.info, resources: [...executorResources] };
}

function dockerData(app: App, task: Task, { dockerCpuQuota }: Settings): string {
  const container = containerOf(app, shellEnv(app, task.ports));
  if ('problem' in container) throw new TypeError(`app '${app.id}': ${container.problem}`);
  const ports = mappedPorts(app, task.ports);
  return encodeTaskData({
    // With v2's fields, the docker part holds everything.
    ...(ports ? { id: app.id } : v1Json(app)),
    docker: {
      ...(dockerCpuQuota && { cpuQuota: true }),
      ...container,
      env: containerEnv(app, task),
      ...(ports && { ports }),
    },
  });
}

function labelsOf(app: App): Labels {
  return { labels: Object.entries(app.labels).map(([key, value]) => ({ key, value })) };
}

/** v1 had no options for fetching a URI, so Mesos' defaults apply. */
function uriOf(app: App, { uri, extract, executable, cache, destPath }: App['fetch'][number]): CommandUri {
  if (app.api === 'v1') return { value: uri };
  return {
    value: uri,
    extract,
    executable,
    ...(cache && { cache }),
    ...(destPath !== undefined && { output_file: destPath }),
  };
}
