import { existsSync } from 'node:fs';
import type { ListrTask } from 'listr2';
import type { DockerEngine } from '../docker/engine.ts';
import { MesosupError } from '../errors/mesosup-error.ts';
import { type ClusterOptions, type DemoCluster, startCluster } from './cluster.ts';
import type { DemoPlan } from './demo-plan.ts';
import { buildRedisImage, DEFAULT_IMAGE } from './image.ts';
import { RedisClient, type RedisClientOptions } from './redis.ts';
import { type DemoApp, type Endpoint, SchedulerApi } from './scheduler-api.ts';
import { getFromServicePort } from './service-port.ts';
import { callsOnPath, executorCalls, union } from './timing.ts';

/** Milliseconds to wait for the instances before the demo gives up. */
const PATIENCE_MS = 120_000;
/** Milliseconds after which the demo shows why the instances are waiting. */
const EXPLAIN_AFTER_MS = 3000;
const EXPLAIN_EVERY_MS = 2000;

/** The result of a demo. */
export interface DemoResult {
  answer: string;
  endpoints: Endpoint[];
  /** The instance that answered. */
  endpoint: Endpoint;
  /** Time of the answer, milliseconds since the epoch. */
  answeredAt: number;
  /** Milliseconds from the start of this process to the answer. */
  wallMs: number;
  /** The part of `wallMs` in which a Docker create or start call was running, from the first one of an instance on. */
  dockerMs: number;
}

/** The values that the steps pass to each other. */
export interface DemoContext {
  hostname?: string;
  cluster?: DemoCluster;
  endpoints?: Endpoint[];
  /** Prepared while the instances start. */
  client?: Promise<RedisClient>;
  result?: DemoResult;
}

export interface DemoOptions extends Omit<ClusterOptions, 'hostname'> {
  image: string;
  engine: DockerEngine;
  signal: AbortSignal;
}

const HAPROXY = '/usr/sbin/haproxy';
const APP = 'multidis';
const INSTANCES = 2;
const RUNNING = 'TASK_RUNNING';
/** States of a task that has its place. */
const PRESENT = new Set(['TASK_STAGING', 'TASK_STARTING', RUNNING]);

/** The steps of the demo, in order, up to the answer from Redis. */
export function demoSteps(options: DemoOptions): ListrTask<DemoContext>[] {
  const { engine, image, signal } = options;
  const clientOptions = ({ cluster, dir }: DemoPlan) => ({ engine, cluster, dir, image });
  return [
    {
      title: 'Docker engine',
      task: async (context, task) => {
        const [version, gateway] = await Promise.all([engine.version(), engine.networkGateway('bridge')]);
        if (!gateway) {
          throw new MesosupError(
            'Docker has no bridge network with a gateway, and the demo publishes its containers there. Start dockerd without --bridge=none.',
          );
        }
        context.hostname = gateway;
        task.title = `Docker engine answers (API ${version})`;
      },
    },
    {
      title: `Image ${image}`,
      task: async (_context, task) => {
        if (await engine.inspectImage(image)) {
          task.title = `Image ${image} is present`;
          return;
        }
        const say = (text: string) => {
          task.output = text;
        };
        if (image === DEFAULT_IMAGE) {
          await buildRedisImage(image, say);
          task.title = `Image ${image} built from the distribution's redis-server`;
        } else {
          await pull(engine, image, say, signal);
          task.title = `Image ${image} pulled`;
        }
      },
    },
    {
      title: 'Mesos master, agents and scheduler',
      task: async (context, task) => {
        const hostname = requireValue(context.hostname);
        if (options.lb && !existsSync(HAPROXY)) {
          throw new MesosupError(
            `${HAPROXY} does not exist, and --lb needs it. Install it with: apt-get install haproxy`,
          );
        }
        context.cluster = await startCluster({ ...options, hostname });
        const { plan, linkReason } = context.cluster;
        task.title = `Mesos master on ${plan.masterUrl}, ${options.agents} agents, scheduler on ${plan.schedulerUrl}`;
        if (linkReason) task.title += `\n  ${linkReason}: apps use the executor ${plan.executor}`;
      },
    },
    {
      title: `App ${APP}: ${INSTANCES} instances`,
      task: async (context, task) => {
        const { plan } = requireValue(context.cluster);
        const app: DemoApp = {
          id: APP,
          instances: INSTANCES,
          mem: 512,
          cpus: 1,
          executor: plan.executor,
          cmd: image,
          ...(plan.servicePort !== undefined && { ports: [plan.servicePort] }),
        };
        context.endpoints = await launch(new SchedulerApi(plan.schedulerUrl, signal), app, signal, {
          explain: (reasons) => {
            task.output = reasons;
          },
          placed: (endpoint) => {
            context.client ??= RedisClient.create({ ...clientOptions(plan), endpoint });
            // The next step waits for it, unless the instances fail.
            context.client.catch(() => undefined);
          },
        });
        const where = context.endpoints.map((e) => `${e.host}:${e.port}`).join(' and ');
        task.title = `App ${APP}: ${INSTANCES} instances run at ${where}`;
      },
    },
    {
      title: 'redis-cli in a second container: SET x 7, GET x',
      task: async (context, task) => {
        const { plan } = requireValue(context.cluster);
        const endpoints = requireValue(context.endpoints);
        const client = await findClient(await context.client, endpoints, clientOptions(plan));
        const answers = await client.ask(['SET x 7', 'GET x']);
        const wallMs = performance.now();
        const answeredAt = performance.timeOrigin + wallMs;
        await client.end();
        const dockerMs = union(callsOnPath(await executorCalls(plan.dir), client.calls), answeredAt);
        const answer = answers.at(-1) ?? '';
        if (answer !== '"7"') throw new MesosupError(`GET x answered ${answer} instead of "7"`);
        context.result = { answer, endpoints, endpoint: client.endpoint, answeredAt, wallMs, dockerMs };
        task.title = `redis-cli in a second container: SET x 7 → ${answers[0]}, GET x → ${answer}`;
      },
    },
    {
      title: 'Load balancer',
      enabled: () => options.lb,
      task: async (context, task) => {
        const { plan } = requireValue(context.cluster);
        const { servicePort = 0 } = plan;
        const answered = context.result?.endpoint;
        // The instances share no data, and the service port leads to any of them.
        for (const endpoint of requireValue(context.endpoints)) {
          if (answered && isSame(endpoint, answered)) continue;
          const client = await RedisClient.create({ ...clientOptions(plan), endpoint });
          await client.ask(['SET x 7']);
          await client.end();
        }
        const value = await getFromServicePort(servicePort, 'x', signal);
        task.title = `Load balancer: GET x at the service port ${servicePort} → "${value}"`;
      },
    },
  ];
}

async function pull(
  engine: DockerEngine,
  image: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await engine.pullImage(image, ({ id, status }) => say([id, status].filter(Boolean).join(': ')), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new MesosupError(
      `image ${image} could not be pulled: ${(error as Error).message}. ` +
        'Check its name and the network, load it with "docker load", or leave out --image to use the built-in image.',
    );
  }
}

/** The client that was prepared, or a new one if its instance does not run. */
async function findClient(
  prepared: RedisClient | undefined,
  endpoints: readonly Endpoint[],
  options: Omit<RedisClientOptions, 'endpoint'>,
): Promise<RedisClient> {
  if (prepared && endpoints.some((endpoint) => isSame(endpoint, prepared.endpoint))) return prepared;
  await prepared?.end();
  return await RedisClient.create({ ...options, endpoint: requireValue(endpoints[0]) });
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}

interface Progress {
  /** Called with the reasons why instances are waiting. */
  explain: (reasons: string) => void;
  /** Called with the endpoint of each instance that is being started or runs, more than once. */
  placed: (endpoint: Endpoint) => void;
}

/** Posts the app and waits until all its instances run. */
async function launch(
  api: SchedulerApi,
  app: DemoApp,
  signal: AbortSignal,
  { explain, placed }: Progress,
): Promise<Endpoint[]> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const waiting = new SchedulerApi(api.url, patience);
  const updates = waiting.updates();
  await updates.next();
  await api.startApp(app);
  let reasons = '';
  const started = Date.now();
  const explaining = setInterval(async () => {
    if (Date.now() - started < EXPLAIN_AFTER_MS) return;
    const now = await api.waitingReasons(app.id).catch(() => '');
    if (!now || now === reasons) return;
    reasons = now;
    explain(`waiting: ${reasons}`);
  }, EXPLAIN_EVERY_MS);
  try {
    for (;;) {
      const { done, value: update } = await updates.next();
      if (done) throw new MesosupError('the scheduler ended its event stream');
      if (update === undefined || !PRESENT.has(update.taskStatus)) continue;
      const { host, taskStatus, ports } = update;
      const [port] = ports;
      if (port !== undefined) placed({ host, port });
      if (taskStatus !== RUNNING) continue;
      const endpoints = await api.endpoints(app.id);
      if (endpoints.length >= app.instances) return endpoints;
    }
  } catch (error) {
    if (signal.aborted || !patience.aborted) throw error;
    throw new MesosupError(
      `${app.id} is not running after ${PATIENCE_MS / 1000} s: ${reasons || 'the scheduler gave no reason'}. ` +
        'Run the demo with --detach and check the logs in its directory.',
    );
  } finally {
    clearInterval(explaining);
    await updates.return(undefined);
  }
}

/** A value that an earlier step has set. */
function requireValue<T>(value: T | undefined): T {
  if (value === undefined)
    throw new MesosupError('a step of the demo ran before the step that it depends on');
  return value;
}
