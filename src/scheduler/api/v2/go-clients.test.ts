/**
 * Decodes answers with the types of go-marathon, which traefik's Marathon provider reads apps with. A Go client fails on
 * a field of another type, and ignores unknown fields. Source of the names and types: go-marathon's structs.
 */

import { expect, it } from 'vitest';
import * as z from 'zod';
import { get, type Server, call as send, server } from '../../../../test/scheduler/api-server.ts';

const text = z.string().optional();
const flag = z.boolean().optional();
const int = z.int().optional();
const float = z.number().optional();
const ints = z.array(z.int()).optional();
const texts = z.array(z.string()).optional();
const labels = z.record(z.string(), z.string()).optional();

const healthResult = z.object({
  alive: z.boolean(),
  consecutiveFailures: z.int(),
  firstSuccess: text,
  lastFailure: text,
  lastFailureCause: text,
  lastSuccess: text,
  taskId: text,
});

const task = z.object({
  id: z.string(),
  appId: z.string(),
  host: z.string(),
  healthCheckResults: z.array(healthResult).optional(),
  ports: z.array(z.int()),
  servicePorts: z.array(z.int()),
  slaveId: z.string(),
  stagedAt: z.string(),
  startedAt: text,
  state: z.string(),
  ipAddresses: z.array(z.object({ ipAddress: z.string(), protocol: z.string() })),
  version: z.string(),
});

const readinessResult = z.object({
  name: z.string(),
  taskId: z.string(),
  ready: z.boolean(),
  lastResponse: z.object({ body: z.string(), contentType: z.string(), status: z.int() }).optional(),
});

const port = { protocol: text, name: text, labels };

const app = z.object({
  id: z.string(),
  cmd: text,
  args: texts,
  constraints: z.array(z.array(z.string())),
  container: z
    .object({
      type: z.string(),
      docker: z.object({ image: z.string(), forcePullImage: flag, privileged: flag }).optional(),
      volumes: z.array(z.object({ containerPath: text, hostPath: text, mode: text })).optional(),
      portMappings: z
        .array(z.object({ containerPort: int, hostPort: int, servicePort: int, ...port }))
        .optional(),
    })
    .optional(),
  cpus: z.number(),
  gpus: float,
  disk: float,
  mem: z.number(),
  instances: z.int(),
  networks: z.array(z.object({ name: text, mode: z.string() })),
  env: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  executor: text,
  healthChecks: z.array(
    z.object({
      command: z.object({ value: z.string() }).optional(),
      portIndex: int,
      port: int,
      path: text,
      protocol: text,
      maxConsecutiveFailures: int,
      gracePeriodSeconds: int,
      intervalSeconds: int,
      timeoutSeconds: int,
      ignoreHttp1xx: flag,
    }),
  ),
  readinessChecks: z.array(
    z.object({
      name: text,
      protocol: text,
      path: text,
      portName: text,
      intervalSeconds: int,
      timeoutSeconds: int,
      httpStatusCodesForReady: ints,
      preserveLastResponse: flag,
    }),
  ),
  readinessCheckResults: z.array(readinessResult).optional(),
  portDefinitions: z.array(z.object({ port: int, ...port })),
  requirePorts: flag,
  backoffSeconds: float,
  backoffFactor: float,
  maxLaunchDelaySeconds: float,
  taskKillGracePeriodSeconds: float,
  upgradeStrategy: z.object({ minimumHealthCapacity: float, maximumOverCapacity: float }).optional(),
  unreachableStrategy: z
    .union([z.literal('disabled'), z.object({ inactiveAfterSeconds: float, expungeAfterSeconds: float })])
    .optional(),
  killSelection: text,
  dependencies: texts,
  user: text,
  acceptedResourceRoles: texts,
  role: text,
  fetch: z.array(z.object({ uri: z.string(), executable: flag, extract: flag, cache: flag })).optional(),
  version: z.string(),
  versionInfo: z.object({ lastScalingAt: z.string(), lastConfigChangeAt: z.string() }),
  deployments: z.array(z.record(z.string(), z.string())).optional(),
  tasks: z.array(task).optional(),
  tasksRunning: int,
  tasksStaged: int,
  tasksHealthy: int,
  tasksUnhealthy: int,
});

/** The request of traefik's provider. */
const QUERY = 'embed=apps.tasks&embed=apps.deployments&embed=apps.readiness';

const BRIDGE = {
  id: '/shop/web',
  cpus: 0.1,
  mem: 16,
  labels: { 'traefik.enable': 'true', 'traefik.http.routers.web.rule': 'Host(`web`)' },
  constraints: [['hostname', 'UNIQUE']],
  container: {
    type: 'DOCKER',
    docker: { image: 'web' },
    portMappings: [{ containerPort: 80, hostPort: 0, name: 'web', labels: { a: 'b' } }],
  },
  networks: [{ mode: 'container/bridge' }],
  healthChecks: [{ protocol: 'HTTP', path: '/' }, { protocol: 'MESOS_TCP' }],
  readinessChecks: [{ portName: 'web', preserveLastResponse: true }],
  unreachableStrategy: 'disabled',
  fetch: [{ uri: 'http://u/x' }],
};

async function answering(): Promise<Server> {
  const one = server();
  await send(one, 'POST', '/v2/apps', BRIDGE);
  await send(one, 'POST', '/v2/apps', { id: '/plain', cmd: 'sleep 1', cpus: 0.1, mem: 16 });
  await one.run();
  const [taskId = ''] = await one.runner.read(({ apps }) => [...(apps.get('/shop/web')?.tasks.keys() ?? [])]);
  const response = { status: 503, contentType: 'text/plain', body: 'no' };
  await one.runner.submit({ type: 'probed', taskId, probe: 0, healthy: true });
  await one.runner.submit({ type: 'probed', taskId, probe: 1, healthy: false, why: 'HTTP 503', response });
  return one;
}

it("answers traefik's provider with the fields that it reads", async () => {
  const one = await answering();
  const { apps } = z.object({ apps: z.array(app) }).parse((await get(one, `/v2/apps?${QUERY}`)).json());
  const web = apps.find(({ id }) => id === '/shop/web');
  const [first] = web?.tasks ?? [];
  const found = first ?? ({ id: '' } as const);
  expect(web).toMatchObject({
    labels: BRIDGE.labels,
    constraints: [['hostname', 'UNIQUE']],
    networks: [{ mode: 'container/bridge' }],
    healthChecks: [{ portIndex: 0 }, { portIndex: 0 }],
    deployments: [{ id: expect.any(String) }],
    tasksRunning: 1,
    readinessCheckResults: [{ taskId: found.id, ready: false, lastResponse: { status: 503 } }],
  });
  expect(found).toMatchObject({
    appId: '/shop/web',
    host: expect.stringMatching(/\.example$/),
    state: 'TASK_RUNNING',
    healthCheckResults: [{ alive: true, consecutiveFailures: 0, firstSuccess: expect.any(String) }],
    ports: [expect.any(Number)],
    servicePorts: [web?.container?.portMappings?.[0]?.servicePort],
    startedAt: expect.any(String),
  });
  const plain = apps.find(({ id }) => id === '/plain');
  expect(plain?.portDefinitions).toHaveLength(1);
  expect(plain?.tasks?.[0]?.ports).toHaveLength(1);
});

it("answers go-marathon's other calls with its types", async () => {
  const one = await answering();
  z.object({ app }).parse((await get(one, '/v2/apps/shop/web')).json());
  z.object({ tasks: z.array(task) }).parse((await get(one, '/v2/apps/shop/web/tasks')).json());
  z.object({ tasks: z.array(task) }).parse((await get(one, '/v2/tasks?status=running')).json());
  z.object({ versions: z.array(z.string()) }).parse((await get(one, '/v2/apps/shop/web/versions')).json());
  const action = z.object({ action: z.string(), app: z.string() });
  const deployments = z.array(
    z.object({
      id: z.string(),
      version: z.string(),
      currentStep: z.int(),
      totalSteps: z.int(),
      affectedApps: z.array(z.string()),
      steps: z.array(z.object({ actions: z.array(action) })),
      currentActions: z.array(action.extend({ readinessCheckResults: z.array(readinessResult) })),
    }),
  );
  expect(deployments.parse((await get(one, '/v2/deployments')).json())).not.toEqual([]);
  const group = z.object({
    id: z.string(),
    apps: z.array(app),
    dependencies: z.array(z.string()),
    get groups() {
      return z.array(group);
    },
  });
  expect(group.parse((await get(one, '/v2/groups')).json()).groups).toHaveLength(1);
  const queue = z.array(
    z.object({ count: z.int(), delay: z.object({ timeLeftSeconds: z.int(), overdue: z.boolean() }), app }),
  );
  await send(one, 'POST', '/v2/apps', { id: '/large', cmd: 'x', cpus: 100 });
  expect(queue.parse((await get(one, '/v2/queue')).json().queue)).not.toEqual([]);
  const info = z.object({
    name: z.string(),
    version: z.string(),
    leader: z.string(),
    frameworkId: z.string(),
    elected: z.boolean(),
    marathon_config: z.object({
      checkpoint: z.boolean(),
      executor: z.string(),
      failover_timeout: z.number(),
      framework_name: z.string(),
      ha: z.boolean(),
      hostname: z.string(),
      local_port_max: z.number(),
      local_port_min: z.number(),
      master: z.string(),
      mesos_leader_ui_url: z.string(),
      mesos_role: z.string(),
      mesos_user: z.string(),
      reconciliation_initial_delay: z.number(),
      reconciliation_interval: z.number(),
      task_launch_timeout: z.number(),
    }),
  });
  info.parse((await get(one, '/v2/info')).json());
});
