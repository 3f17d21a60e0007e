import type { TaskData } from '../../executor/task-data.ts';
import type { App } from '../domain/app.ts';

/** The app as v1 prints it, and as it goes to executors. */
export function appJson(app: App): TaskData {
  const { taskRateLimit, container } = app;
  return {
    id: app.id,
    cmd: app.cmd,
    env: app.env,
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    disk: app.disk,
    executor: app.executor,
    constraints: app.constraints,
    uris: app.uris,
    ports: app.ports,
    ...(taskRateLimit !== undefined && { taskRateLimit }),
    ...(container && { container }),
  };
}
