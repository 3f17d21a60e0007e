import { request, textOf } from './request.ts';
import type { SchedulerApi } from './scheduler-api.ts';
import type { Overview } from './table.ts';

interface AppJson {
  id: string;
  instances: number;
}
type TasksJson = Record<string, { id: string; host: string; ports: number[] }[]>;
/** Running tasks only; /v1/tasks also has starting tasks. */
type EndpointsJson = { id: string; instances: unknown[] }[];
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

/** Reads the data of the live table. */
export async function readOverview(
  api: SchedulerApi,
  masterUrl: string,
  signal: AbortSignal,
): Promise<Overview> {
  const [apps, tasksByApp, endpoints, slaves] = await Promise.all([
    api.json<AppJson[]>('/v1/apps'),
    api.json<TasksJson>('/v1/tasks'),
    api.json<EndpointsJson>('/v1/endpoints'),
    request(`${masterUrl}/slaves`, { signal })
      .then(textOf)
      .then((text): SlavesJson => JSON.parse(text)),
  ]);
  const tasks = Object.entries(tasksByApp).flatMap(([app, list]) => list.map((t) => ({ ...t, app })));
  return {
    apps: apps.map((a) => ({
      id: a.id,
      instances: a.instances,
      running: endpoints.find((e) => e.id === a.id)?.instances.length ?? 0,
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
