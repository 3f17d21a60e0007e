/** `GET /v2/endpoints`: all that a load balancer needs to know, of a single moment. */

import { declaredPorts } from '../../domain/app.ts';
import { matchingPorts } from '../../domain/matching-ports.ts';
import { type AppRecord, launchedApp, type State } from '../../domain/state.ts';
import { isCounted, isEnding, isReady, isUnchecked, type Task } from '../../domain/task.ts';
import { addressOf, addressText, taskPorts } from '../../domain/task-ports.ts';
import type { Api, ApiOptions } from '../answers.ts';
import { appsOf } from '../views.ts';
import { cacheableList } from './answers.ts';
import type { EndpointAppJson, EndpointListJson, EndpointTaskJson } from './endpoint-schemas.ts';
import { partOf } from './parts.ts';

export function addEndpointRoute(api: Api, { runner }: ApiOptions): void {
  api.get('/v2/endpoints', async (request, reply) => {
    const { rest, parts } = await runner.read((state) => ({
      rest: restOf(state),
      parts: appsOf(state).map((record) =>
        partOf(record, 'balanced', (one) => JSON.stringify(balancedApp(one))),
      ),
    }));
    return cacheableList(request, reply, 'apps', parts, rest);
  });
}

function restOf(state: State): Omit<EndpointListJson, 'apps'> {
  return {
    frameworkId: state.frameworkId ?? null,
    connected: state.connected,
    unanswered: state.unanswered.size,
  };
}

function balancedApp(record: AppRecord): EndpointAppJson {
  const { app, run } = record;
  const ports = declaredPorts(app);
  return {
    id: app.id,
    run,
    labels: app.labels,
    ports: ports.map(({ servicePort, protocol, name }, i) => {
      const check = app.healthChecks.find(({ portIndex }) => portIndex === i);
      return {
        servicePort,
        protocol,
        ...(name !== undefined && { name }),
        ...(check && { checkProtocol: check.protocol }),
      };
    }),
    tasks: [...record.tasks.values()]
      .filter(isCounted)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((task) => balancedTask(record, ports, task)),
  };
}

/** The addresses are those of the app's present ports, also of a task that was launched with other ports. */
function balancedTask(
  record: AppRecord,
  declared: ReturnType<typeof declaredPorts>,
  task: Task,
): EndpointTaskJson {
  const launched = launchedApp(record, task);
  const ports = taskPorts(launched, task.ports);
  return {
    id: task.id,
    host: task.host,
    state: isReady(task) ? 'ready' : isEnding(task) || task.state === 'TASK_KILLING' ? 'ending' : 'waiting',
    ...(isUnchecked(task) && { unchecked: true }),
    addresses: matchingPorts(declared, declaredPorts(launched)).map((index) => {
      const port = index === undefined ? undefined : ports[index];
      const address = port && addressOf(port, task);
      return address ? addressText(address) : null;
    }),
  };
}
