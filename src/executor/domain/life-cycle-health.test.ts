import { describe, expect, test } from 'vitest';
import {
  created,
  exited,
  Fed,
  kill,
  launch,
  passed,
  ready,
  running,
  running1,
  SUBSCRIBED,
  unwell,
} from '../../../test/executor/fed.ts';
import type { HealthCheck, TaskInfo } from '../../mesos/types.ts';
import type { ExecutorInput, State, Task } from './executor-state.ts';
import { listUnacknowledged } from './tasks.ts';

const CHECK: HealthCheck = {
  type: 'HTTP',
  http: { port: 31000, path: '/health' },
  delay_seconds: 2,
  interval_seconds: 5,
  grace_period_seconds: 60,
};
const UPDATED = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';

function checked(more: Partial<HealthCheck> = {}, info: Partial<TaskInfo> = {}): Fed {
  return running1(new Fed(), { health_check: { ...CHECK, ...more }, ...info });
}

/** The worker dies, and a new one finds the files and the container. */
function crash(fed: Fed): void {
  const tasks = new Map(JSON.parse(JSON.stringify([...fed.state.tasks])) as [string, Task][]);
  fed.state = { tasks, supportsKilling: true, leaving: false } satisfies State;
  fed.take({ type: 'recovered', containers: [{ taskId: 't', container: 'c-t', started: true }] });
}

const unknown: ExecutorInput = {
  type: 'checked',
  taskId: 't',
  result: { type: 'unknown', why: 'Docker is away' },
};
const checkIn = (afterMs: number) => ({ type: 'check', taskId: 't', container: 'c-t', afterMs });

describe('a health check', () => {
  test('starts its delay after TASK_RUNNING, and repeats after its interval', () => {
    const fed = checked();
    expect(fed.actions.at(-1)).toMatchObject({ ...checkIn(2000), check: { http: { port: 31000 } } });
    expect(fed.take(passed('t')).at(-1)).toMatchObject(checkIn(5000));
    expect(fed.take(passed('t'))).toMatchObject([checkIn(5000)]);
  });

  test('has Mesos’ defaults', () => {
    const fed = running1(new Fed(), { health_check: { type: 'TCP', tcp: { port: 1 } } });
    expect(fed.actions.at(-1)).toMatchObject(checkIn(15_000));
    expect(fed.take(passed('t')).at(-1)).toMatchObject(checkIn(10_000));
  });

  test('that succeeds makes the task healthy, reported once, with the details of TASK_RUNNING', () => {
    const fed = checked();
    const first = listUnacknowledged(fed.state).updates.at(-1)?.status;
    expect(first).toMatchObject({ state: 'TASK_RUNNING' });
    expect(first?.healthy).toBeUndefined();
    fed.take(passed('t'));
    expect(fed.update()).toMatchObject({ state: 'TASK_RUNNING', healthy: true, reason: UPDATED });
    expect(fed.update().container_status).toEqual(first?.container_status);
    expect(fed.update().labels).toEqual(first?.labels);
    expect(fed.update().uuid).not.toBe(first?.uuid);
    expect(fed.briefly(passed('t'))).toEqual(['check']);
  });

  test('is not run for a task without one', () => {
    expect(running1().actions.map((a) => a.type)).not.toContain('check');
    expect(running1().take(passed('t'))).toEqual([]);
  });

  test('that is invalid is an error of the task', () => {
    const fed = new Fed();
    expect(fed.briefly(launch('t', { health_check: { type: 'HTTP' } }))).toEqual(['TASK_ERROR']);
    expect(fed.update().message).toBe(
      "Task uses invalid health check: Expecting 'http' to be set for HTTP health check",
    );
  });

  test('that could not run does not change the task', () => {
    const fed = checked({ grace_period_seconds: 0, consecutive_failures: 2 });
    fed.take(unwell('t'));
    expect(fed.briefly(unknown, unknown)).toEqual(['check', 'check']);
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'uncheck', 'TASK_KILLING', 'stop']);
  });
});

describe('failures', () => {
  test('in the grace period don’t count, as long as the task was never healthy', () => {
    const fed = checked();
    fed.now += 60_000;
    expect(fed.briefly(unwell('t'), unwell('t'), unwell('t'), unwell('t'))).toEqual(Array(4).fill('check'));
    fed.now += 1;
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'check']);
    expect(fed.update()).toMatchObject({
      healthy: false,
      reason: UPDATED,
      message: 'HTTP health check failed: HTTP 500',
    });
  });

  test('count in the grace period once the task was healthy', () => {
    const fed = checked();
    fed.take(passed('t'));
    fed.take(unwell('t'));
    expect(fed.update()).toMatchObject({ healthy: false });
  });

  test('below the limit are reported each, and a success resets their count', () => {
    const fed = checked();
    fed.take(passed('t'));
    const reported = ['TASK_RUNNING', 'check', 'TASK_RUNNING', 'check'];
    expect(fed.briefly(unwell('t'), unwell('t'))).toEqual(reported);
    const { uuid } = fed.update();
    expect(fed.briefly(passed('t'))).toEqual(['TASK_RUNNING', 'check']);
    expect(fed.update()).toMatchObject({ healthy: true });
    expect(fed.update().uuid).not.toBe(uuid);
    expect(fed.briefly(passed('t'))).toEqual(['check']);
    expect(fed.briefly(unwell('t'), unwell('t'))).toEqual(reported);
  });

  test('in a row up to the limit get the task killed, with its grace period', () => {
    const policy = { kill_policy: { grace_period: { nanoseconds: 7e9 } } };
    const fed = checked({}, policy);
    fed.take(passed('t'), unwell('t'), unwell('t'));
    expect(fed.take(unwell('t'))).toMatchObject([
      { type: 'update', status: { state: 'TASK_RUNNING', healthy: false, reason: UPDATED } },
      { type: 'uncheck', taskId: 't' },
      { type: 'update', status: { state: 'TASK_KILLING' } },
      { type: 'stop', graceMs: 7000 },
    ]);
    fed.take(exited('t', 143));
    expect(fed.update()).toMatchObject({
      state: 'TASK_KILLED',
      healthy: false,
      message:
        'HTTP health check failed: HTTP 500 (3 times in a row). Container exited with status 143 (SIGTERM) after a stop request',
    });
    expect(fed.update().reason).toBeUndefined();
  });

  test('with a limit of one kill the task immediately, without TASK_KILLING if it is not supported', () => {
    const fed = checked({ consecutive_failures: 1, grace_period_seconds: 0 });
    fed.take({ type: 'subscribed', capabilities: [] });
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'uncheck', 'stop']);
    expect(fed.update()).toMatchObject({ healthy: false });
  });

  test('with a limit of 0 kill the task at the first, as in Mesos', () => {
    const fed = checked({ consecutive_failures: 0, grace_period_seconds: 0 });
    expect(fed.briefly(passed('t'), unwell('t'))).toEqual([
      ...['TASK_RUNNING', 'check', 'TASK_RUNNING', 'uncheck', 'TASK_KILLING', 'stop'],
    ]);
  });

  test('are not reported again while 100 updates are unacknowledged, but still count', () => {
    const fed = checked({ consecutive_failures: 200, grace_period_seconds: 0 });
    const waiting = () => fed.state.tasks.get('t')?.updates.length;
    fed.take(...Array.from({ length: 150 }, () => unwell('t')));
    expect(waiting()).toBe(100);
    expect(fed.briefly(unwell('t'))).toEqual(['check']);
    fed.take({ type: 'acknowledged', taskId: 't', uuid: String(fed.state.tasks.get('t')?.updates[0]?.uuid) });
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'check']);
    expect(fed.briefly(passed('t'))).toEqual(['TASK_RUNNING', 'check']);
    expect(waiting()).toBe(101);
    const more = Array.from({ length: 199 }, () => unwell('t'));
    fed.take(...more);
    expect(fed.briefly(unwell('t'))).toEqual(['uncheck', 'TASK_KILLING', 'stop']);
  });
});

describe('the end of checking', () => {
  test('is a kill, which does not make the task unhealthy', () => {
    const fed = checked();
    fed.take(passed('t'));
    expect(fed.briefly(kill('t'))).toEqual(['uncheck', 'TASK_KILLING', 'stop']);
    expect(fed.take(unwell('t'), passed('t'))).toEqual([]);
    fed.take(exited('t', 143));
    expect(fed.update().healthy).toBeUndefined();
  });

  test('is the container’s end', () => {
    const fed = checked();
    expect(fed.briefly(exited('t', 1))).toEqual(['uncheck', 'TASK_FAILED', 'remove']);
    expect(fed.take(passed('t'))).toEqual([]);
  });

  test('a KILL with a shorter grace period takes effect while the task is killed for its health', () => {
    const fed = checked({ consecutive_failures: 1, grace_period_seconds: 0 });
    fed.take(unwell('t'));
    expect(fed.take(kill('t', 100))).toMatchObject([{ type: 'stop', graceMs: 100 }]);
    fed.take(exited('t', 137));
    expect(fed.update()).toMatchObject({ state: 'TASK_KILLED', healthy: false });
  });
});

describe('after a restart of the worker', () => {
  test('checks continue when the container runs, without a repeated update', () => {
    const fed = checked();
    fed.take(passed('t'));
    crash(fed);
    expect(fed.actions).toMatchObject([{ type: 'adopt' }]);
    expect(fed.take(running('t'))).toMatchObject([checkIn(2000)]);
    expect(fed.briefly(passed('t'))).toEqual(['check']);
  });

  test('neither delay nor grace period start again', () => {
    const fed = checked();
    fed.now += 1500;
    crash(fed);
    expect(fed.take(running('t'))).toMatchObject([checkIn(500)]);
    fed.now += 60_000;
    crash(fed);
    expect(fed.take(running('t'))).toMatchObject([checkIn(0)]);
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'check']);
  });

  test('earlier failures count, and the next check keeps its interval to the last failure', () => {
    const fed = checked({ consecutive_failures: 2 });
    fed.take(passed('t'));
    fed.now += 100_000;
    fed.take(unwell('t'));
    fed.now += 1000;
    crash(fed);
    expect(fed.take(running('t'))).toMatchObject([checkIn(4000)]);
    expect(fed.briefly(unwell('t'))).toEqual(['TASK_RUNNING', 'uncheck', 'TASK_KILLING', 'stop']);
    crash(fed);
    expect(fed.briefly(running('t'), exited('t', 143))).toEqual(['TASK_KILLED', 'remove']);
    expect(fed.update().healthy).toBe(false);
  });

  test('the delay of a container that did not run yet starts when it runs', () => {
    const fed = new Fed();
    fed.take(SUBSCRIBED, launch('t', { health_check: CHECK }), ready('t'), created('t'));
    fed.now += 10_000;
    crash(fed);
    expect(fed.take(running('t')).at(-1)).toMatchObject(checkIn(2000));
  });
});
