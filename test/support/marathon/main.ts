/**
 * A stand-in for Marathon: answers its HTTP API, and launches tasks as a framework of its own in the way Marathon does.
 * Keeps its state in a file. Argument: StandInOptions as JSON. Prints its URL.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createSchedulerSession } from '../../../src/mesos/scheduler-session.ts';
import { isTerminal, type Offer, type TaskStatus } from '../../../src/mesos/types.ts';
import { leadIn } from './latch.ts';
import { launchOn, restOf } from './launch.ts';
import {
  type App,
  completeApp,
  type SentApp,
  type StandInOptions,
  type State,
  showGroups,
  showTask,
  type Task,
} from './model.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as StandInOptions;
const state: State = loadState();
let leads = options.zk === undefined;

function loadState(): State {
  try {
    return JSON.parse(readFileSync(options.file, 'utf8')) as State;
  } catch {
    return { apps: {}, versions: {}, pods: [], tasks: {}, deployments: [] };
  }
}

function save(): void {
  writeFileSync(options.file, JSON.stringify(state));
}

const session = createSchedulerSession({
  detect: async () => options.master,
  framework: () => ({
    user: options.user,
    name: 'marathon',
    failover_timeout: options.failoverTimeout,
    checkpoint: options.checkpoint ?? true,
    roles: [options.role],
    capabilities: [{ type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }, { type: 'MULTI_ROLE' }],
    ...(options.principal !== undefined && { principal: options.principal }),
    ...(state.frameworkId !== undefined && { id: { value: state.frameworkId } }),
  }),
  suppressedRoles: () => [],
  onEvent: (event) => {
    switch (event.type) {
      case 'SUBSCRIBED':
        state.frameworkId = event.subscribed.framework_id.value;
        save();
        reconcile();
        return;
      case 'OFFERS':
        event.offers.offers.forEach(useOffer);
        return;
      case 'UPDATE':
        takeUpdate(event.update.status);
        return;
      case 'ERROR':
        // Marathon exits, and its supervisor starts it again.
        process.stderr.write(`${event.error.message}\n`);
        process.exit(1);
        return;
      default:
    }
  },
  onDisconnected: () => {},
});

type Call = Parameters<typeof session.call>[0];

function send(call: Call): void {
  session.call(call).catch((error: unknown) => process.stderr.write(`${call.type}: ${error}\n`));
}

function reconcile(): void {
  const tasks = Object.values(state.tasks).map(({ id, slaveId }) => ({
    task_id: { value: id },
    agent_id: { value: slaveId },
  }));
  if (tasks.length > 0) send({ type: 'RECONCILE', reconcile: { tasks } });
  send({ type: 'RECONCILE', reconcile: { tasks: [] } });
}

function missing(): App[] {
  const running = Object.values(state.tasks);
  return Object.values(state.apps).flatMap((app) => {
    const has = running.filter(({ appId }) => appId === app.id).length;
    return Array.from({ length: Math.max(0, app.instances - has) }, () => app);
  });
}

function useOffer(offer: Offer): void {
  const rest = restOf(offer);
  const launched = missing().flatMap((app) => launchOn(rest, app, options.role) ?? []);
  for (const pod of state.pods.filter(({ id }) => !Object.values(state.tasks).some((t) => t.appId === id))) {
    const one = launchOn(
      rest,
      completeApp({ ...pod, cpus: 0.1, mem: 16, portDefinitions: [] }, undefined),
      options.role,
    );
    if (!one) continue;
    one.task.id = one.task.id.replace('._app.1', '.ct');
    one.info.task_id.value = one.task.id;
    launched.push(one);
  }
  for (const { task } of launched) state.tasks[task.id] = task;
  save();
  const task_infos = launched.map(({ info }) => info);
  const filters = { refuse_seconds: launched.length > 0 ? 0 : 1 };
  if (launched.length === 0) send({ type: 'DECLINE', decline: { offer_ids: [offer.id], filters } });
  else
    send({
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations: [{ type: 'LAUNCH', launch: { task_infos } }], filters },
    });
}

function takeUpdate({ task_id, agent_id, state: next, uuid, healthy }: TaskStatus): void {
  const task = state.tasks[task_id.value];
  if (task && isTerminal(next)) delete state.tasks[task.id];
  else if (task) {
    task.state = next;
    if (next === 'TASK_RUNNING') task.startedAt ??= new Date().toISOString();
    if (healthy !== undefined) task.healthy = healthy;
    // Marathon itself makes the checks without MESOS_; the stand-in believes that they pass.
    const app = state.apps[task.appId];
    if (next === 'TASK_RUNNING' && app?.healthChecks.some(({ protocol }) => !protocol.startsWith('MESOS_')))
      task.healthy = true;
  } else if (!isTerminal(next) && agent_id) {
    // Like Marathon, kills tasks that it does not know.
    send({ type: 'KILL', kill: { task_id, agent_id } });
  }
  save();
  if (uuid !== undefined && agent_id) send({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
}

function shownTasks(): Task[] {
  return Object.values(state.tasks).filter(({ appId }) => state.apps[appId]);
}

async function answer(request: IncomingMessage): Promise<[number, unknown]> {
  const { pathname } = new URL(request.url ?? '/', 'http://x');
  const route = `${request.method} ${pathname}`;
  if (!leads) return [503, { message: 'no leader' }];
  if (request.method === 'GET' && /^\/v2\/apps\/.+\/versions\/.+/.test(pathname)) {
    const [, id = '', version = ''] = /^\/v2\/apps(\/.+)\/versions\/(.+)$/.exec(pathname) ?? [];
    const found = state.versions[`${id} ${decodeURIComponent(version)}`];
    return found ? [200, found] : [404, { message: `App '${id}' does not exist` }];
  }
  switch (route) {
    case 'GET /ping':
      return [200, 'pong'];
    case 'GET /v2/info':
      return [
        200,
        {
          name: 'marathon',
          version: '1.11.24',
          frameworkId: state.frameworkId,
          leader: 'localhost',
          marathon_config: {
            master: options.master,
            mesos_leader_ui_url: `http://${options.master}/`,
            ha: options.zk !== undefined,
          },
          zookeeper_config: { zk_session_timeout: options.zkSessionTimeout },
        },
      ];
    case 'GET /v2/groups':
      return [200, showGroups(state)];
    case 'GET /v2/tasks':
      return [200, { tasks: shownTasks().map((task) => showTask(task, state.apps[task.appId])) }];
    case 'GET /v2/queue': {
      const queue = missing().map(({ id }) => ({ count: 1, delay: { overdue: true }, app: { id } }));
      return [200, { queue }];
    }
    case 'GET /v2/deployments':
      return [200, state.deployments];
    case 'POST /v2/apps': {
      const sent = (await json(request)) as SentApp;
      const app = completeApp(sent, state.apps[sent.id]);
      state.apps[app.id] = app;
      state.versions[`${app.id} ${app.version}`] = app;
      save();
      send({ type: 'REVIVE' });
      return [201, app];
    }
    case 'POST /v2/pods': {
      state.pods.push((await json(request)) as State['pods'][number]);
      save();
      send({ type: 'REVIVE' });
      return [201, {}];
    }
    // Not of Marathon: sets a part of the state.
    case 'POST /stand-in': {
      Object.assign(state, await json(request));
      save();
      return [200, {}];
    }
    case 'DELETE /v2/leader':
      setTimeout(() => void session.stop().then(() => process.exit(1)), 50);
      return [200, { message: 'Leadership abdicated' }];
    default:
      return [404, { message: 'not found' }];
  }
}

const server = createServer((request, response) => {
  answer(request).then(
    ([status, body]) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    },
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});

process.once('SIGTERM', () => void session.stop().then(() => process.exit(0)));
server.listen(options.port, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listening on http://127.0.0.1:${port}\n`);
  if (options.zk === undefined) {
    session.start();
    return;
  }
  leadIn(options.zk, options.zkSessionTimeout, `127.0.0.1:${port}`, () => {
    // The state of the last leader.
    Object.assign(state, loadState());
    leads = true;
    session.start();
  });
});
