/** The master's operator endpoints. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { fromMilli } from '../../mesos/resources.ts';
import type { FlagValues } from '../wire/flags.ts';
import {
  answerEmpty,
  answerJson,
  CallRefused,
  methodNotAllowed,
  readBody,
  readCall,
  requestTarget,
} from '../wire/http.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { removeFramework } from './frameworks.ts';
import { type Master, seconds } from './model.ts';
import { operatorCall } from './operator-call.ts';
import {
  agentJson,
  clusterAmounts,
  frameworkJson,
  fullAgentJson,
  type Json,
  taskJson,
} from './state-json.ts';

/** What the endpoints show. */
export interface OperatorContext {
  master: Master;
  flags: FlagValues;
}

export interface OperatorRoute {
  /** Which of the master's authentication flags guards it. */
  access: 'open' | 'readonly' | 'readwrite';
  answer: (
    context: OperatorContext,
    request: IncomingMessage,
    response: ServerResponse,
  ) => void | Promise<void>;
}

/** The route for a path, with or without `.json`; undefined where there is none. */
export function operatorRoute(path: string): OperatorRoute | undefined {
  const name = path.replace(/\.json$/, '');
  return Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
}

function shows(
  access: OperatorRoute['access'],
  body: (context: OperatorContext, query: URLSearchParams) => Json,
) {
  const answer: OperatorRoute['answer'] = (context, request, response) =>
    answerJson(response, body(context, requestTarget(request).query));
  return { access, answer };
}

const ROUTES: Readonly<Record<string, OperatorRoute>> = {
  '/state': shows('readonly', state),
  '/slaves': shows('readonly', ({ master }) => ({
    slaves: [...master.agents.values()].map((agent) => fullAgentJson(master, agent)),
    recovered_slaves: [],
  })),
  '/frameworks': shows('readonly', ({ master }) => frameworks(master)),
  '/tasks': shows('readonly', tasks),
  '/flags': shows('readonly', ({ flags }) => ({ flags: Object.fromEntries(flags) })),
  '/metrics/snapshot': shows('readonly', ({ master }) => metrics(master)),
  '/version': shows('open', version),
  '/health': { access: 'open', answer: (_context, _request, response) => answerEmpty(response, 200) },
  '/redirect': {
    access: 'open',
    answer: ({ master }, _request, response) =>
      answerEmpty(response, 307, { Location: `//${master.info.hostname}:${master.info.port}` }),
  },
  '/teardown': { access: 'readwrite', answer: teardown },
  '/api/v1': { access: 'readwrite', answer: call },
};

function version(): Json {
  return { build_date: '', build_time: 0, build_user: '', version: MESOS_VERSION };
}

function frameworks(master: Master): Json {
  return {
    frameworks: [...master.frameworks.values()].map((f) => frameworkJson(master, f)),
    completed_frameworks: [...master.completedFrameworks.values()].map((f) => frameworkJson(master, f)),
    unregistered_frameworks: [],
  };
}

function state({ master, flags }: OperatorContext): Json {
  const { id, pid, port, hostname } = master.info;
  const agents = [...master.agents.values()];
  const started = seconds(master.startTime);
  const cluster = flags.get('cluster');
  return {
    ...version(),
    start_time: started,
    elected_time: started,
    id,
    pid,
    hostname,
    ...(cluster === undefined ? {} : { cluster }),
    capabilities: (master.info.capabilities ?? []).map((c) => c.type),
    activated_slaves: agents.filter((a) => a.stream).length,
    deactivated_slaves: agents.filter((a) => !a.stream).length,
    unreachable_slaves: master.unreachableAgents.size,
    leader: pid,
    leader_info: { id, pid, port, hostname },
    flags: Object.fromEntries(flags),
    slaves: agents.map((agent) => agentJson(master, agent)),
    recovered_slaves: [],
    frameworks: [...master.frameworks.values()].map((f) => frameworkJson(master, f)),
    completed_frameworks: [...master.completedFrameworks.values()].map((f) => frameworkJson(master, f)),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

/** All tasks, the latest first where their times are known; `limit` (100), `offset` and `order` as in Mesos. */
function tasks({ master }: OperatorContext, query: URLSearchParams): Json {
  const all = [...master.frameworks.values(), ...master.completedFrameworks.values()].flatMap((framework) =>
    [...framework.tasks.values(), ...framework.unreachableTasks.values(), ...framework.completedTasks].map(
      (task) => ({ framework, task }),
    ),
  );
  const wanted = all.filter(
    ({ framework, task }) =>
      (query.get('framework_id') ?? framework.id) === framework.id &&
      (query.get('task_id') ?? task.info.task_id.value) === task.info.task_id.value,
  );
  const started = ({ task }: (typeof all)[number]) => task.statuses[0]?.timestamp ?? 0;
  const sign = query.get('order') === 'asc' ? 1 : -1;
  wanted.sort((a, b) => sign * (started(a) - started(b)));
  const offset = Number(query.get('offset') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? 100) || 0;
  return {
    tasks: wanted.slice(offset, offset + limit).map(({ framework, task }) => taskJson(framework, task)),
  };
}

/** The keys that schedulers and installers look at, named as in Mesos. */
function metrics(master: Master): Json {
  const all = [...master.frameworks.values()];
  const agents = [...master.agents.values()];
  const live = all.flatMap((f) => [...f.tasks.values()]);
  const inState = (name: string) => live.filter((t) => t.state === name).length;
  const { total, used } = clusterAmounts(master);
  const out: Record<string, number> = {
    'master/elected': 1,
    'master/uptime_secs': seconds(master.ports.now() - master.startTime),
    'master/slaves_active': agents.filter((a) => a.stream).length,
    'master/slaves_connected': agents.filter((a) => a.stream).length,
    'master/slaves_disconnected': agents.filter((a) => !a.stream).length,
    'master/slaves_inactive': agents.filter((a) => !a.stream).length,
    'master/slaves_unreachable': master.unreachableAgents.size,
    'master/frameworks_active': all.filter((f) => f.stream).length,
    'master/frameworks_connected': all.filter((f) => f.stream).length,
    'master/frameworks_disconnected': all.filter((f) => !f.stream).length,
    'master/frameworks_inactive': all.filter((f) => !f.stream).length,
    'master/outstanding_offers': master.offers.size,
    'master/tasks_staging': inState('TASK_STAGING'),
    'master/tasks_starting': inState('TASK_STARTING'),
    'master/tasks_running': inState('TASK_RUNNING'),
    'master/tasks_killing': inState('TASK_KILLING'),
    'master/tasks_unreachable': all.reduce((sum, f) => sum + f.unreachableTasks.size, 0),
    'system/cpus_total': cpus().length,
    'system/mem_total_bytes': totalmem(),
    'system/mem_free_bytes': freemem(),
  };
  for (const name of [
    'dropped',
    'error',
    'failed',
    'finished',
    'gone',
    'gone_by_operator',
    'killed',
    'lost',
  ]) {
    out[`master/tasks_${name}`] = 0;
  }
  for (const name of [
    'slave_registrations',
    'slave_reregistrations',
    'slave_removals',
    'valid_status_updates',
  ]) {
    out[`master/${name}`] = 0;
  }
  for (const name of ['cpus', 'mem', 'disk', 'gpus']) {
    const whole = fromMilli(total.scalars.get(name) ?? 0);
    const part = fromMilli(used.scalars.get(name) ?? 0);
    out[`master/${name}_total`] = whole;
    out[`master/${name}_used`] = part;
    out[`master/${name}_percent`] = whole === 0 ? 0 : part / whole;
  }
  for (const [i, period] of ['1min', '5min', '15min'].entries())
    out[`system/load_${period}`] = loadavg()[i] ?? 0;
  for (const [name, count] of master.metrics.entries()) out[name] = count;
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function teardown(
  { master }: OperatorContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, request.method);
  const form = new URLSearchParams((await readBody(request)).toString('utf8'));
  const id = form.get('frameworkId');
  if (id === null) throw new CallRefused(400, "Missing 'frameworkId' query parameter in the request body");
  const framework = master.frameworks.get(id);
  if (!framework) throw new CallRefused(400, 'No framework found with specified ID');
  removeFramework(master, framework);
  answerEmpty(response, 200);
}

async function call(
  { master }: OperatorContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, request.method);
  const { type } = await readCall(request);
  if (type === 'GET_METRICS') {
    const list = Object.entries(metrics(master)).map(([name, value]) => ({ name, value }));
    return answerJson(response, { type, get_metrics: { metrics: list } });
  }
  answerJson(response, operatorCall(master, type));
}
