import { type App, imageOf, servicePortsOf } from '../../domain/app.ts';
import { flatId } from '../../domain/app-id.ts';

/** Formats an app for v1's answers, and for executors of the 2013 form. */
export function v1Json(app: App) {
  const { taskRateLimit, container } = app;
  return {
    id: flatId(app.id),
    cmd: app.cmd ?? (app.args ?? []).join(' '),
    env: app.env,
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    disk: app.disk,
    executor: app.executor,
    constraints: app.constraints,
    uris: app.fetch.map(({ uri }) => uri),
    ports: servicePortsOf(app),
    ...(taskRateLimit !== undefined && { taskRateLimit }),
    ...(container?.docker && {
      container: {
        image: app.api === 'v1' ? container.docker.image : (imageOf(app) ?? ''),
        options: container.docker.options ?? [],
      },
    }),
  };
}
