import type { SchedulerApi } from './scheduler-api.ts';
import type { Overview } from './table.ts';

interface AppJson {
  id: string;
  instances: number;
}
type TasksJson = Record<string, { id: string; host: string; ports: number[] }[]> | TasksEntry[];
type TasksEntry = Record<string, { id: string; host: string; ports: number[] }[]>;
interface Used {
  cpus: number;
  mem: number;
}
interface SlavesJson {
  slaves: {
    id: string;
    hostname: string;
    port: number;
    resources: Used & { ports?: string };
    used_resources: Used;
  }[];
}

/** Reads what the live table shows. */
export async function readOverview(
  api: SchedulerApi,
  masterUrl: string,
  signal: AbortSignal,
): Promise<Overview> {
  const [apps, tasksByApp, slaves] = await Promise.all([
    api.json<AppJson[]>('/v1/apps'),
    api.json<TasksJson>('/v1/tasks'),
    fetch(`${masterUrl}/slaves`, { signal }).then((r) => r.json() as Promise<SlavesJson>),
  ]);
  const entries = (Array.isArray(tasksByApp) ? tasksByApp : [tasksByApp]).flatMap((e) => Object.entries(e));
  const tasks = entries.flatMap(([app, list]) => list.map((t) => ({ ...t, app })));
  return {
    apps: apps.map((a) => ({
      id: a.id,
      instances: a.instances,
      running: tasks.filter((t) => t.app === a.id).length,
    })),
    tasks,
    agents: slaves.slaves.map((s) => ({
      id: s.id.slice(s.id.lastIndexOf('-') + 1),
      hostname: s.hostname,
      port: s.port,
      cpus: `${s.used_resources.cpus}/${s.resources.cpus}`,
      mem: `${s.used_resources.mem}/${s.resources.mem} MiB`,
      ports: s.resources.ports ?? '',
    })),
  };
}
