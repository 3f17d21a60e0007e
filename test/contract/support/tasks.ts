/** Tasks and executors for the contract tests. */

import { fileURLToPath } from 'node:url';
import { quote } from 'shell-quote';
import type { ExecutorInfo, HealthCheck, Offer, Resource, TaskInfo } from '../../../src/mesos/types.ts';
import { type Behaviour, encodeJson } from './behaviour.ts';
import { unique } from './framework.ts';

const EXECUTOR = fileURLToPath(new URL('./test-executor.ts', import.meta.url));

/** A command that ignores SIGTERM, and a check that succeeds once it does, since TASK_RUNNING comes a moment before. */
export const STUBBORN = {
  command: "trap '' TERM; : >stubborn; while :; do sleep 0.1; done",
  check: {
    type: 'COMMAND',
    command: { value: 'test -e stubborn' },
    delay_seconds: 0,
    interval_seconds: 0.1,
    grace_period_seconds: 0,
    consecutive_failures: 1000,
  } satisfies HealthCheck,
};

export function scalar(name: string, value: number, role = '*'): Resource {
  return { name, type: 'SCALAR', scalar: { value }, allocation_info: { role } };
}

/** The test executor. Node and script have full paths, since agents set only a default PATH. */
export function executorInfo(
  id: string,
  more: Partial<ExecutorInfo> & { arguments?: string[] } = {},
): ExecutorInfo {
  const { arguments: args = [], ...rest } = more;
  return {
    type: 'CUSTOM',
    executor_id: { value: id },
    command: { shell: true, value: quote(['exec', process.execPath, EXECUTOR, ...args]) },
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    name: 'contract test executor',
    source: 'contract',
    shutdown_grace_period: { nanoseconds: 3_000_000_000 },
    ...rest,
  };
}

/** A task of the test executor, by default of a new executor. */
export function executorTask(
  offer: Offer,
  behaviour: Behaviour = {},
  more: Partial<TaskInfo> = {},
): TaskInfo {
  return {
    name: 'contract',
    task_id: { value: unique('task') },
    agent_id: offer.agent_id,
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    executor: executorInfo(unique('executor')),
    data: encodeJson(behaviour),
    ...more,
  };
}

/** A plain command, run by Mesos' executor. */
export function commandTask(offer: Offer, command: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: 'contract',
    task_id: { value: unique('task') },
    agent_id: offer.agent_id,
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    command: { shell: true, value: command },
    ...more,
  };
}
