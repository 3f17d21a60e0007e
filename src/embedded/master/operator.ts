/** The master's operator endpoints. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MasterInfo } from '../../mesos/types.ts';
import type { FlagValues } from '../wire/flags.ts';
import {
  answerEmpty,
  answerJson,
  answerText,
  CallRefused,
  methodNotAllowed,
  readBody,
  readCall,
  requestTarget,
} from '../wire/http.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { removeFramework } from './frameworks.ts';
import { metricsJson } from './metrics-json.ts';
import { isActive, type Master, seconds } from './model.ts';
import { performChange } from './operator-changes.ts';
import { answerQuery } from './operator-queries.ts';
import {
  agentJson,
  frameworkJson,
  fullAgentJson,
  type Json,
  recoveredAgentJson,
  taskJson,
} from './state-json.ts';

/** Input of the endpoints. */
export interface OperatorContext {
  master: Master;
  flags: FlagValues;
}

export interface OperatorRoute {
  /** The authentication flag of the master that applies. */
  access: 'open' | 'readonly' | 'readwrite';
  /** True if a master that does not lead answers itself. */
  local?: true;
  answer: (
    context: OperatorContext,
    request: IncomingMessage,
    response: ServerResponse,
  ) => void | Promise<void>;
}

/** Finds the route for a path, with or without `.json`. */
export function operatorRoute(path: string): OperatorRoute | undefined {
  const name = path.replace(/\.json$/, '');
  return Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
}

function shows(
  access: OperatorRoute['access'],
  body: (context: OperatorContext, query: URLSearchParams) => Json,
): OperatorRoute {
  const answer: OperatorRoute['answer'] = (context, request, response) =>
    answerJson(response, body(context, requestTarget(request).query));
  return { access, answer };
}

const ROUTES: Readonly<Record<string, OperatorRoute>> = {
  '/state': shows('readonly', state),
  '/slaves': shows('readonly', ({ master }) => ({
    slaves: [...master.agents.values()].map((agent) => fullAgentJson(master, agent)),
    recovered_slaves: [...master.recoveredAgents.values()].map(recoveredAgentJson),
  })),
  '/frameworks': shows('readonly', ({ master }) => frameworks(master)),
  '/tasks': shows('readonly', tasks),
  '/flags': { ...shows('readonly', ({ flags }) => ({ flags: Object.fromEntries(flags) })), local: true },
  '/metrics/snapshot': { ...shows('readonly', ({ master }) => metricsJson(master)), local: true },
  '/version': { ...shows('open', version), local: true },
  '/health': {
    access: 'open',
    local: true,
    answer: (_context, _request, response) => answerEmpty(response, 200),
  },
  '/redirect': {
    access: 'open',
    local: true,
    answer: ({ master }, _request, response) => redirectToLeader(master, '', response),
  },
  '/teardown': { access: 'readwrite', answer: teardown },
  '/api/v1': { access: 'readwrite', answer: call },
};

/** Redirects to the leader, or answers 503 without a leader. @param path empty for the leader's root */
export function redirectToLeader(master: Master, path: string, response: ServerResponse): void {
  const { leader } = master;
  if (!leader) answerText(response, 503, 'No leader elected');
  else answerEmpty(response, 307, { Location: `//${leader.hostname}:${leader.port}${path}` });
}

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
  const { id, pid, hostname } = master.info;
  const { leader } = master;
  const agents = [...master.agents.values()];
  const active = agents.filter((agent) => isActive(master, agent)).length;
  const cluster = flags.get('cluster');
  return {
    ...version(),
    start_time: seconds(master.startTime),
    ...(master.electedTime === undefined ? {} : { elected_time: seconds(master.electedTime) }),
    id,
    pid,
    hostname,
    ...(cluster === undefined ? {} : { cluster }),
    capabilities: (master.info.capabilities ?? []).map((c) => c.type),
    activated_slaves: active,
    deactivated_slaves: agents.length - active,
    unreachable_slaves: master.unreachableAgents.size,
    ...(leader ? { leader: leader.pid, leader_info: leaderJson(leader) } : {}),
    flags: Object.fromEntries(flags),
    slaves: agents.map((agent) => agentJson(master, agent)),
    recovered_slaves: [...master.recoveredAgents.values()].map(recoveredAgentJson),
    frameworks: [...master.frameworks.values()].map((f) => frameworkJson(master, f)),
    completed_frameworks: [...master.completedFrameworks.values()].map((f) => frameworkJson(master, f)),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

function leaderJson({ id, pid, port, hostname }: MasterInfo): Json {
  return { id, pid, port, hostname };
}

/** Lists all tasks, the latest first if their times are known; `limit` (100), `offset` and `order` as in Mesos. */
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
  const call = await readCall(request);
  const { type } = call;
  if (type === 'GET_METRICS') {
    const list = Object.entries(metricsJson(master)).map(([name, value]) => ({ name, value }));
    return answerJson(response, { type, get_metrics: { metrics: list } });
  }
  const done = performChange(master, call);
  if (!done) return answerJson(response, answerQuery(master, type));
  await done;
  answerEmpty(response, 200);
}
