/** For tests of the executor's life cycle: short constructors of inputs, and an executor that tests feed with them. */

import {
  type Constants,
  type ContainerExit,
  type ExecutorAction,
  type ExecutorInput,
  INITIAL,
  type State,
} from '../../src/executor/domain/executor-state.ts';
import { decide } from '../../src/executor/domain/life-cycle.ts';
import { listUnacknowledged } from '../../src/executor/domain/tasks.ts';
import { encodeTaskData } from '../../src/executor/task-data.ts';
import type { TaskInfo } from '../../src/mesos/types.ts';

const NOW = 1_000_000;

export function launched(id: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: 'app',
    task_id: { value: id },
    agent_id: { value: 'S0' },
    resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: 64 } }],
    data: encodeTaskData({
      id: 'app',
      docker: { image: 'img', args: [], env: { PASSWORD: 'p' }, options: [] },
    }),
    ...more,
  };
}

/** An executor state that tests feed with inputs. */
export class Fed {
  state: State = INITIAL;
  actions: ExecutorAction[] = [];
  now = NOW;
  #uuids = 0;
  readonly constants: Constants;

  constructor(argv: string[] = [], shutdownGraceMs = 5000) {
    this.constants = { own: { argv, env: {} }, agentId: 'S0', executorId: 'docker', shutdownGraceMs };
  }

  /** Feeds inputs. @returns the resulting actions */
  take(...inputs: ExecutorInput[]): ExecutorAction[] {
    this.actions = [];
    for (const input of inputs) {
      const uuid = () => {
        this.#uuids += 1;
        return `uuid-${this.#uuids}`;
      };
      const { state, actions } = decide(this.state, input, this.constants, { now: this.now, uuid });
      this.state = state;
      this.actions.push(...actions);
    }
    return this.actions;
  }

  /** Like take, but returns updates as their state and other actions as their type. */
  briefly(...inputs: ExecutorInput[]): string[] {
    return this.take(...inputs).map((a) => (a.type === 'update' ? a.status.state : a.type));
  }

  update() {
    const found = this.actions.find((a) => a.type === 'update');
    if (!found) throw new Error('no update was made');
    return found.status;
  }

  acknowledgeAll(): ExecutorAction[] {
    return this.take(
      ...listUnacknowledged(this.state).updates.map(
        ({ status }): ExecutorInput => ({
          type: 'acknowledged',
          taskId: status.task_id.value,
          uuid: status.uuid ?? '',
        }),
      ),
    );
  }
}

export const output = { stdout: 0, stderr: 10 };
export const launch = (id: string, more?: Partial<TaskInfo>): ExecutorInput => ({
  type: 'launch',
  task: launched(id, more),
  policy: { file: '/etc/mesosup/executor.json', policy: {} },
});
export const ready = (taskId: string): ExecutorInput => ({
  type: 'image-ready',
  taskId,
  exposed: ['80/tcp'],
});
export const created = (taskId: string): ExecutorInput => ({
  type: 'created',
  taskId,
  container: `c-${taskId}`,
  output,
});
export const running = (taskId: string): ExecutorInput => ({
  type: 'running',
  taskId,
  networks: [
    {
      name: 'bridge',
      ip_addresses: [
        { protocol: 'IPv4', ip_address: '172.17.0.2' },
        { protocol: 'IPv6', ip_address: 'fd00::2' },
      ],
      port_mappings: [{ host_port: 31000, container_port: 80, protocol: 'tcp' }],
    },
  ],
});
export const exited = (
  taskId: string,
  exitCode: number,
  more: Partial<ContainerExit> = {},
): ExecutorInput => ({
  type: 'exited',
  taskId,
  exit: { exitCode, outOfMemory: false, isRemoved: false, lastLines: '', ...more },
});
export const failed = (taskId: string): ExecutorInput => ({
  type: 'failed',
  taskId,
  message: 'no space left',
});
export const removed = (taskId: string): ExecutorInput => ({ type: 'removed', taskId });
export const passed = (taskId: string): ExecutorInput => ({
  type: 'checked',
  taskId,
  result: { type: 'passed' },
});
export const unwell = (taskId: string, why = 'HTTP 500'): ExecutorInput => ({
  type: 'checked',
  taskId,
  result: { type: 'failed', why },
});
export const kill = (taskId: string, graceMs?: number): ExecutorInput => ({ type: 'kill', taskId, graceMs });
export const SUBSCRIBED: ExecutorInput = { type: 'subscribed', capabilities: ['TASK_KILLING_STATE'] };

/** Starts a running task. */
export function running1(fed = new Fed(), more?: Partial<TaskInfo>): Fed {
  fed.take(SUBSCRIBED, launch('t', more), ready('t'), created('t'), running('t'));
  return fed;
}
