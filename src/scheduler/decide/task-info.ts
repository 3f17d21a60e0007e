import { encodeTaskData } from '../../executor/task-data.ts';
import { fromMilli } from '../../mesos/resources.ts';
import type { CommandInfo, ExecutorInfo, Resource, TaskInfo } from '../../mesos/types.ts';
import type { App } from '../domain/app.ts';
import type { Settings } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { containerEnv, containerOf, type Form, shellEnv } from './form.ts';
import { appJson } from './views.ts';

/** The task as it stands in ACCEPT. */
export function taskInfo(app: App, form: Form, task: Task, settings: Settings): TaskInfo {
  return {
    name: app.id,
    task_id: { value: task.id },
    agent_id: { value: task.agentId },
    resources: taskResources(app, task.ports, settings.role),
    ...launched(app, form, task, settings),
  };
}

function launched(
  app: App,
  form: Form,
  task: Task,
  settings: Settings,
): Pick<TaskInfo, 'command' | 'executor' | 'data'> {
  switch (form.type) {
    case 'command':
      return { command: command(app, app.cmd, task) };
    case 'own':
      return { executor: ownExecutor(app, form.path, task, settings), data: encodeTaskData(appJson(app)) };
    case 'shared':
      return {
        executor: sharedExecutor(task.executorId ?? '', settings),
        data: sharedData(app, task),
      };
  }
}

/** Mesos fills in its own defaults for what is left out; only `cmd` is ever a shell's line, as its author wrote it. */
function command(app: App, value: string, task: Task): CommandInfo {
  const variables = Object.entries(shellEnv(app, task.ports)).map(([name, text]) => ({ name, value: text }));
  return {
    value,
    shell: true,
    environment: { variables },
    ...(app.uris.length > 0 && { uris: app.uris.map((uri) => ({ value: uri })) }),
  };
}

function ownExecutor(app: App, path: string, task: Task, settings: Settings): ExecutorInfo {
  const { info } = settings.dockerExecutor;
  const isDocker = path === settings.dockerExecutor.path;
  return {
    type: 'CUSTOM',
    executor_id: { value: task.id },
    command: command(app, `${path} ${app.cmd}`.trimEnd(), task),
    name: app.id,
    source: app.id,
    ...(isDocker && info.labels && { labels: info.labels }),
    ...(isDocker && info.shutdown_grace_period && { shutdown_grace_period: info.shutdown_grace_period }),
  };
}

function sharedExecutor(id: string, settings: Settings): ExecutorInfo {
  return { executor_id: { value: id }, ...settings.dockerExecutor.info };
}

function sharedData(app: App, task: Task): string {
  const container = containerOf(app, shellEnv(app, task.ports));
  if ('problem' in container) throw new TypeError(`app '${app.id}': ${container.problem}`);
  return encodeTaskData({
    ...appJson(app),
    docker: {
      ...container,
      env: containerEnv(app, task.ports),
      options: [...(app.container?.options ?? [])],
    },
  });
}

function taskResources(app: App, ports: readonly number[], role: string): Resource[] {
  const common = { role: '*', allocation_info: { role } };
  const resources: Resource[] = [];
  for (const name of ['cpus', 'mem', 'disk'] as const) {
    const value = fromMilli(Math.round(app[name] * 1000));
    if (value > 0) resources.push({ name, type: 'SCALAR', scalar: { value }, ...common });
  }
  if (ports.length > 0) {
    const range = [...ports].sort((a, b) => a - b).map((port) => ({ begin: port, end: port }));
    resources.push({ name: 'ports', type: 'RANGES', ranges: { range }, ...common });
  }
  return resources;
}
