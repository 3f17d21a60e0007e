import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../test/support/runs.ts';
import { isTerminal, type TaskState, type TaskStatus } from '../../mesos/types.ts';
import { encodeTaskData } from '../task-data.ts';
import {
  type Constants,
  type ExecutorAction,
  type ExecutorInput,
  INITIAL,
  type State,
} from './executor-state.ts';
import { decide, isIdle } from './life-cycle.ts';
import { listUnacknowledged } from './tasks.ts';

const GRACE_MS = 500;
const LIMIT = 2;
const HEALTH_CHECK = {
  type: 'TCP',
  tcp: { port: 1 },
  delay_seconds: 0.2,
  interval_seconds: 0.1,
  grace_period_seconds: GRACE_MS / 1000,
  consecutive_failures: LIMIT,
} as const;

/** The health that the framework can conclude from the checks of a task, computed separately. */
interface Checked {
  ranAt: number;
  wasHealthy: boolean;
  failures: number;
  /** Of all failures that count. */
  total: number;
}

/** Simulates Docker, the agent and crashes around the life cycle, in random order. */
class World {
  state: State = INITIAL;
  readonly containers = new Map<string, { taskId: string; state: 'created' | 'running' | 'exited' }>();
  readonly sent = new Map<string, TaskStatus[]>();
  readonly checked = new Map<string, Checked>();
  readonly #constants: Constants = {
    own: { argv: [], env: {} },
    agentId: 'S0',
    executorId: 'e',
    shutdownGraceMs: 5000,
  };
  /** Pending operations of Docker; they are lost when the worker dies. */
  #pending: Exclude<ExecutorAction, { type: 'update' | 'exit' | 'abandon' | 'uncheck' }>[] = [];
  #watched = new Set<string>();
  #now = 0;
  #count = 0;

  step(what: number, which: number, luck: number): void {
    this.#now += 100;
    const moves = [
      () => this.#launch(luck > 1),
      () => this.#operate(which, luck),
      () => this.#operate(which, luck),
      () => this.#kill(which, luck),
      () => this.#acknowledge(which),
      () => this.#end(which, luck),
      () => this.#crash(),
    ];
    moves[what % moves.length]?.();
    this.#reportExits();
  }

  /** Kills all tasks and answers all operations until the end. */
  finish(): void {
    for (const taskId of this.state.tasks.keys()) this.#take({ type: 'kill', taskId, graceMs: 0 });
    for (let i = 0; i < 1000 && !isIdle(this.state); i += 1) {
      this.#operate(i, 1);
      this.#reportExits();
      this.#acknowledge(i);
    }
  }

  #launch(withHealthCheck: boolean): void {
    this.#count += 1;
    const task = {
      ...(withHealthCheck && { health_check: HEALTH_CHECK }),
      name: 'app',
      task_id: { value: `t${this.#count}` },
      agent_id: { value: 'S0' },
      resources: [],
      data: encodeTaskData({ id: 'app', docker: { image: 'i', args: [], env: {}, options: [] } }),
    };
    this.#take({ type: 'launch', task, policy: { file: '', policy: {} } });
  }

  #kill(which: number, luck: number): void {
    const taskId = pick([...this.state.tasks.keys()], which);
    if (taskId !== undefined) this.#take({ type: 'kill', taskId, graceMs: luck * 1000 });
  }

  #acknowledge(which: number): void {
    const update = pick(listUnacknowledged(this.state).updates, which);
    if (!update) return;
    const { task_id, uuid = '' } = update.status;
    this.#take({ type: 'acknowledged', taskId: task_id.value, uuid });
  }

  /** A container ends by itself. */
  #end(which: number, luck: number): void {
    const container = pick(
      [...this.containers.values()].filter((c) => c.state === 'running'),
      which,
    );
    if (container && luck > 0) container.state = 'exited';
  }

  #operate(which: number, luck: number): void {
    const operation = pick(this.#pending, which);
    if (!operation) return;
    this.#pending = this.#pending.filter((p) => p !== operation);
    const { taskId } = operation;
    if (operation.type === 'prepare') {
      if (luck > 1) this.#take({ type: 'pulling', taskId, message: 'm' });
      this.#take(
        luck === 0 ? { type: 'failed', taskId, message: '' } : { type: 'image-ready', taskId, exposed: [] },
      );
    } else if (operation.type === 'create') {
      if (luck === 0) {
        this.#take({ type: 'failed', taskId, message: '' });
        return;
      }
      this.#count += 1;
      const container = `c${this.#count}`;
      expect([...this.containers.values()].map((c) => c.taskId)).not.toContain(taskId);
      this.containers.set(container, { taskId, state: 'created' });
      // The worker may die before it gets the result.
      if (luck === 1) this.#crash();
      else this.#take({ type: 'created', taskId, container, output: { stdout: 0, stderr: 0 } });
    } else if (operation.type === 'remove') {
      this.containers.delete(operation.container);
      this.#take({ type: 'removed', taskId });
    } else if (operation.type === 'check') {
      this.#check(taskId, luck);
    } else {
      this.#onContainer(operation, luck);
    }
  }

  #check(taskId: string, luck: number): void {
    const seen = this.checked.get(taskId);
    expect(seen).toBeDefined();
    if (seen && luck === 0) {
      seen.wasHealthy = true;
      seen.failures = 0;
    } else if (
      seen &&
      luck > 1 &&
      (seen.wasHealthy || seen.failures > 0 || this.#now - seen.ranAt > GRACE_MS)
    ) {
      seen.failures += 1;
      seen.total += 1;
    }
    const result =
      luck === 0
        ? ({ type: 'passed' } as const)
        : ({ type: luck === 1 ? 'unknown' : 'failed', why: 'w' } as const);
    this.#take({ type: 'checked', taskId, result });
  }

  #onContainer(operation: Extract<ExecutorAction, { type: 'start' | 'adopt' | 'stop' }>, luck: number): void {
    const { taskId } = operation;
    const container = this.containers.get(operation.container);
    if (!container) return;
    if (operation.type === 'stop') {
      if (container.state === 'running') container.state = 'exited';
      return;
    }
    if (operation.type === 'start') {
      expect(container.state).toBe('created');
      if (luck === 0) {
        this.#take({ type: 'failed', taskId, message: '' });
        return;
      }
      container.state = 'running';
    }
    this.#watched.add(operation.container);
    if (container.state === 'running') this.#take({ type: 'running', taskId, networks: [] });
  }

  #reportExits(): void {
    for (const container of this.#watched) {
      const { taskId, state } = this.containers.get(container) ?? {};
      if (state === 'running') continue;
      this.#watched.delete(container);
      const exit = { exitCode: 0, outOfMemory: false, isRemoved: false, lastLines: '' };
      if (taskId !== undefined) this.#take({ type: 'exited', taskId, exit });
    }
  }

  /** The worker dies and restarts with its files. */
  #crash(): void {
    this.#pending = [];
    this.#watched.clear();
    const tasks = new Map(JSON.parse(JSON.stringify([...this.state.tasks])) as [string, never][]);
    this.state = { ...INITIAL, tasks };
    this.#take({ type: 'subscribed', capabilities: ['TASK_KILLING_STATE'] });
    const containers = [...this.containers].map(([container, { taskId, state }]) => ({
      taskId,
      container,
      started: state !== 'created',
    }));
    this.#take({ type: 'recovered', containers });
  }

  #take(input: ExecutorInput): void {
    const uuid = () => {
      this.#count += 1;
      return `u${this.#count}`;
    };
    const { state, actions } = decide(this.state, input, this.#constants, { now: this.#now, uuid });
    this.state = state;
    for (const action of actions) {
      if (action.type === 'update') {
        const taskId = action.status.task_id.value;
        this.sent.set(taskId, [...(this.sent.get(taskId) ?? []), action.status]);
        this.#compare(action.status);
      } else if (action.type === 'uncheck') {
        this.#pending = this.#pending.filter((p) => p.type !== 'check' || p.taskId !== action.taskId);
      } else if (action.type === 'abandon') {
        this.#pending = this.#pending.filter((p) => p.taskId !== action.taskId);
      } else if (action.type !== 'exit') {
        const same = this.#pending.filter((p) => p.type === 'check' && p.taskId === action.taskId);
        if (action.type === 'check') expect(same).toEqual([]);
        this.#pending.push(action);
      }
    }
  }

  /** Compares an update with the results of the checks. */
  #compare({ task_id, state, healthy }: TaskStatus): void {
    const taskId = task_id.value;
    const seen = this.checked.get(taskId);
    if (state === 'TASK_RUNNING' && !seen) {
      expect(healthy).toBeUndefined();
      this.checked.set(taskId, { ranAt: this.#now, wasHealthy: false, failures: 0, total: 0 });
    } else if (state === 'TASK_RUNNING') {
      expect(healthy).toBe(seen?.failures === 0);
      expect(seen?.wasHealthy || healthy === false).toBe(true);
    } else if (isTerminal(state) && healthy !== undefined) {
      expect([state, healthy]).toEqual(['TASK_KILLED', false]);
      expect(seen?.failures).toBe(LIMIT);
    } else {
      expect(healthy).toBeUndefined();
    }
  }
}

function pick<T>(list: readonly T[], which: number): T | undefined {
  return list[which % Math.max(1, list.length)];
}

test('for any events in any order, each task ends once, and no container is left', () => {
  const step = fc.tuple(fc.nat(6), fc.nat(5), fc.nat(3));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const world = new World();
      for (const [what, which, luck] of steps) world.step(what, which, luck);
      world.finish();
      expect(isIdle(world.state)).toBe(true);
      expect([...world.containers]).toEqual([]);
      const order: TaskState[] = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'];
      for (const [taskId, updates] of world.sent) {
        const states = updates.map((u) => u.state);
        expect(states.filter(isTerminal)).toHaveLength(1);
        expect(isTerminal(states.at(-1) ?? 'TASK_STAGING')).toBe(true);
        const live = states.slice(0, -1);
        // Results of checks repeat TASK_RUNNING.
        expect(live.filter((state, i) => state !== live[i - 1])).toEqual(
          order.filter((s) => live.includes(s)),
        );
        expect(live[0]).toBe('TASK_STARTING');
        const reportedHealth = updates.filter((u) => u.state === 'TASK_RUNNING').map((u) => u.healthy);
        const failures = reportedHealth.filter((healthy) => healthy === false);
        expect(failures).toHaveLength(world.checked.get(taskId)?.total ?? 0);
        expect(reportedHealth.filter((healthy, i) => healthy && reportedHealth[i - 1])).toEqual([]);
      }
      // Tasks whose failures have reached the limit were killed.
      for (const [taskId, { failures }] of world.checked) {
        if (failures < LIMIT) continue;
        expect(world.sent.get(taskId)?.at(-1)).toMatchObject({ state: 'TASK_KILLED', healthy: false });
      }
    }),
    { numRuns: runs(300) },
  );
});
