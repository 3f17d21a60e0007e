/** Validates tasks with the texts of Mesos 1.11. Pure. */

import { healthCheckError } from '../../health/validation.ts';
import { canonicalJson } from '../../json.ts';
import type { Amounts } from '../../mesos/resources.ts';
import type { ExecutorInfo, Resource, TaskInfo } from '../../mesos/types.ts';
import { coversForRole, formatResources, mergeResources, wireResources } from '../wire/resource-text.ts';

export interface LaunchContext {
  frameworkId: string;
  agentId: string;
  /** Remaining resources of the accepted offers. */
  left: Amounts;
  role: string;
  /** Returns if the framework has a task with this id, or an unreachable one. */
  taskState: (taskId: string) => 'none' | 'known' | 'unreachable';
  /** Finds the framework's executor on the agent. */
  executor: (executorId: string) => ExecutorInfo | undefined;
}

const RULE = '------------------------------------------------------------\n';

/**
 * Completes a task for the agent: allocates resources to the offers' role and sets the executor's framework.
 */
export function normalizeTask(task: TaskInfo, frameworkId: string, role: string): TaskInfo {
  const allocated = (resources: readonly Resource[] | undefined): Resource[] =>
    (resources ?? []).map((r) => (r.allocation_info?.role ? r : { ...r, allocation_info: { role } }));
  return {
    ...task,
    resources: allocated(task.resources),
    ...(task.executor
      ? {
          executor: {
            ...task.executor,
            type: task.executor.type ?? 'CUSTOM',
            framework_id: task.executor.framework_id ?? { value: frameworkId },
            ...(task.executor.resources ? { resources: allocated(task.executor.resources) } : {}),
          },
        }
      : {}),
  };
}

/** @returns the reason of a refusal, or undefined. @param task the result of `normalizeTask` */
export function validateTask(task: TaskInfo, context: LaunchContext): string | undefined {
  return (
    validateId(task.task_id.value) ??
    validateUnique(task.task_id.value, context) ??
    validateAgent(task, context) ??
    validateKillPolicy(task) ??
    validateHealthCheck(task) ??
    validateResources(task.resources, 'Task uses invalid resources') ??
    validateKind(task) ??
    (task.executor && validateExecutor(task.executor, context)) ??
    validateSum(task, context)
  );
}

/** @returns why an id is refused, or undefined */
export function validateId(id: string): string | undefined {
  if (id === '') return 'ID must not be empty';
  if (id.length > 255) return 'ID must not be greater than 255 characters';
  if (id === '.' || id === '..') return `'${id}' is disallowed`;
  const bad = [...id].some(
    (c) => c === '/' || c === '\\' || c.charCodeAt(0) < 0x20 || c.charCodeAt(0) === 0x7f,
  );
  return bad ? `'${id}' contains invalid characters` : undefined;
}

function validateUnique(id: string, context: LaunchContext): string | undefined {
  switch (context.taskState(id)) {
    case 'known':
      return `Task has duplicate ID: ${id}`;
    case 'unreachable':
      return `Task reuses the ID of an unreachable task: ${id}`;
    case 'none':
      return undefined;
  }
}

function validateAgent(task: TaskInfo, context: LaunchContext): string | undefined {
  return task.agent_id?.value === context.agentId
    ? undefined
    : `Task uses invalid agent ${task.agent_id?.value} while agent ${context.agentId} is expected`;
}

function validateResources(resources: readonly Resource[], what: string): string | undefined {
  if (resources.length === 0) return what.startsWith('Task') ? 'Task uses no resources' : undefined;
  for (const r of resources) {
    const error = resourceError(r);
    if (error !== undefined) return `${what}: ${error}`;
  }
  return undefined;
}

function resourceError(r: Resource): string | undefined {
  if (typeof r.name !== 'string' || r.name === '') return 'Empty resource name';
  const text = () => formatResources([r]);
  if (r.type === 'SCALAR') {
    const value = r.scalar?.value;
    if (typeof value !== 'number' || r.ranges || r.set) return `Invalid scalar resource: ${r.name}`;
    return !(value >= 0) ? `Invalid scalar resource: value < 0: ${text()}` : undefined;
  }
  if (r.type === 'RANGES') {
    const ranges = r.ranges?.range;
    if (!ranges || r.scalar || r.set) return `Invalid ranges resource: ${r.name}`;
    const bad = ranges.some((range) => !(range.begin >= 0 && range.end >= range.begin));
    return bad ? `Invalid ranges resource: ${text()}` : undefined;
  }
  return `Unsupported resource type of '${r.name}'`;
}

function validateKillPolicy(task: TaskInfo): string | undefined {
  const grace = task.kill_policy?.grace_period?.nanoseconds ?? 0;
  return grace < 0 ? "Task's 'kill_policy.grace_period' must be non-negative" : undefined;
}

function validateHealthCheck({ health_check }: TaskInfo): string | undefined {
  const error = health_check && healthCheckError(health_check);
  return error === undefined ? undefined : `Task uses invalid health check: ${error}`;
}

function validateKind(task: TaskInfo): string | undefined {
  if ((task.command === undefined) !== (task.executor === undefined)) return undefined;
  return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
}

function validateExecutor(executor: ExecutorInfo, context: LaunchContext): string | undefined {
  if (executor.type === 'DEFAULT') return "'ExecutorInfo.type' must be 'CUSTOM'";
  if (!executor.command) return "'ExecutorInfo.command' must be set";
  const bad =
    validateId(executor.executor_id?.value ?? '') ??
    validateResources(executor.resources ?? [], 'Executor uses invalid resources');
  if (bad !== undefined) return bad;
  if (executor.framework_id?.value !== context.frameworkId) {
    return (
      'ExecutorInfo has an invalid FrameworkID' +
      ` (Actual: ${executor.framework_id?.value} vs Expected: ${context.frameworkId})`
    );
  }
  const grace = executor.shutdown_grace_period?.nanoseconds ?? 0;
  if (grace < 0) return "ExecutorInfo's 'shutdown_grace_period' must be non-negative";
  const existing = context.executor(executor.executor_id.value);
  if (existing === undefined || sameExecutor(existing, executor)) return undefined;
  return (
    'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n' +
    `${RULE}Existing ExecutorInfo:\n${JSON.stringify(existing)}\n` +
    `${RULE}ExecutorInfo:\n${JSON.stringify(executor)}\n${RULE}`
  );
}

/** True if two ExecutorInfos are equal, regardless of the order of keys and of explicit defaults. */
export function sameExecutor(a: ExecutorInfo, b: ExecutorInfo): boolean {
  return canonicalJson(withDefaults(a)) === canonicalJson(withDefaults(b));
}

function withDefaults(executor: ExecutorInfo): unknown {
  const { command } = executor;
  return {
    ...executor,
    type: executor.type ?? 'CUSTOM',
    resources: mergeResources(executor.resources ?? [])
      .map((r) => ({ ...r, role: r.role ?? '*' }))
      .sort((x, y) => (x.name < y.name ? -1 : 1)),
    command: command && {
      ...command,
      shell: command.shell ?? true,
      arguments: command.arguments ?? [],
      uris: command.uris ?? [],
      environment: (command.environment?.variables ?? []).map((v) => ({ ...v, type: v.type ?? 'VALUE' })),
    },
  };
}

/** Validates the sum of resources, including the executor's if it is not on the agent yet. */
function validateSum(task: TaskInfo, context: LaunchContext): string | undefined {
  const { executor } = task;
  const isNew = executor && context.executor(executor.executor_id.value) === undefined;
  const total = mergeResources(task.resources, isNew ? (executor.resources ?? []) : []);
  if (coversForRole(context.role, context.left, total)) return undefined;
  const left = formatResources(wireResources(context.left, context.role));
  return (
    `Total resources ${formatResources(total)} required by task and its` +
    ` executor is more than available ${left}`
  );
}
