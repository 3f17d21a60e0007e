import { describe, expect, test } from 'vitest';
import {
  created,
  exited,
  Fed,
  failed,
  kill,
  launch,
  launched,
  output,
  ready,
  removed,
  running,
  running1,
  SUBSCRIBED,
} from '../../../test/executor/fed.ts';
import { encodeTaskData } from '../task-data.ts';
import { type ExecutorInput, INITIAL } from './executor-state.ts';
import { isEmptied, isIdle } from './life-cycle.ts';
import { listUnacknowledged } from './tasks.ts';

describe('a successful task', () => {
  test('passes all states from launch to end', () => {
    const fed = new Fed();
    expect(fed.take(launch('t'))).toMatchObject([
      {
        type: 'update',
        status: {
          task_id: { value: 't' },
          agent_id: { value: 'S0' },
          executor_id: { value: 'docker' },
          state: 'TASK_STARTING',
          source: 'SOURCE_EXECUTOR',
          timestamp: 1000,
          uuid: 'uuid-1',
        },
      },
      { type: 'prepare', taskId: 't', image: 'img' },
    ]);
    expect(fed.take(ready('t'))).toMatchObject([
      { type: 'create', taskId: 't', exposed: ['80/tcp'], plan: { image: 'img', env: { PASSWORD: 'p' } } },
    ]);
    expect(fed.take(created('t'))).toEqual([{ type: 'start', taskId: 't', container: 'c-t', output }]);
    expect(fed.briefly(running('t'))).toEqual(['TASK_RUNNING']);
    expect(fed.update()).toMatchObject({
      labels: {
        labels: [
          { key: 'mesosup.container', value: 'c-t' },
          { key: 'mesosup.networks', value: 'bridge' },
          { key: 'mesosup.ports', value: '31000:80/tcp' },
        ],
      },
      container_status: {
        network_infos: [
          {
            name: 'bridge',
            ip_addresses: [
              { protocol: 'IPv4', ip_address: '172.17.0.2' },
              { protocol: 'IPv6', ip_address: 'fd00::2' },
            ],
            port_mappings: [{ host_port: 31000, container_port: 80, protocol: 'tcp' }],
          },
        ],
      },
    });
    expect(fed.briefly(exited('t', 0))).toEqual(['TASK_FINISHED', 'remove']);
    fed.acknowledgeAll();
    expect(isIdle(fed.state)).toBe(false);
    fed.take(removed('t'));
    expect(isIdle(fed.state)).toBe(true);
  });

  test('is deleted after its last acknowledgement, too, and late messages have no effect', () => {
    const fed = running1();
    fed.take(exited('t', 0), removed('t'));
    expect(isEmptied(fed.state)).toBe(true);
    expect(isIdle(fed.state)).toBe(false);
    fed.acknowledgeAll();
    expect(isIdle(fed.state)).toBe(true);
    expect(fed.take(exited('t', 1), kill('t'), running('t'), failed('t'))).toEqual([]);
  });

  test('keeps its unacknowledged end, regardless of later inputs', () => {
    const fed = running1();
    fed.take(exited('t', 0));
    expect(fed.take(exited('t', 1), failed('t'), running('t'), ready('t'), kill('t', 0))).toEqual([]);
    expect(fed.take(created('t'))).toEqual([{ type: 'remove', taskId: 't', container: 'c-t' }]);
  });

  test('is part of SUBSCRIBE as long as the agent may not know it', () => {
    const fed = new Fed();
    fed.take(launch('t'));
    expect(listUnacknowledged(fed.state)).toMatchObject({
      tasks: [{ task_id: { value: 't' } }],
      updates: [{ status: { state: 'TASK_STARTING' } }],
    });
    fed.take(ready('t'), created('t'));
    expect(JSON.stringify([...fed.state.tasks.values()])).not.toContain(launched('t').data);
    fed.acknowledgeAll();
    expect(listUnacknowledged(fed.state)).toEqual({ tasks: [], updates: [] });
  });

  test('ignores a second launch of the same id', () => {
    const fed = running1();
    expect(fed.take(launch('t'))).toEqual([]);
  });
});

describe('the progress of a pull', () => {
  const pulling: ExecutorInput = { type: 'pulling', taskId: 't', message: '10%' };

  test('repeats TASK_STARTING with a message, once the update before is acknowledged', () => {
    const fed = new Fed();
    fed.take(launch('t'));
    expect(fed.take(pulling)).toEqual([]);
    fed.acknowledgeAll();
    expect(fed.briefly(pulling)).toEqual(['TASK_STARTING']);
    expect(fed.update().message).toBe('10%');
    expect(fed.take(pulling)).toEqual([]);
    expect(listUnacknowledged(fed.state).updates).toHaveLength(1);
  });

  test('is not reported after the pull or for a killed task', () => {
    const ready1 = new Fed();
    ready1.take(launch('t'));
    ready1.acknowledgeAll();
    ready1.take(ready('t'));
    expect(ready1.take(pulling)).toEqual([]);
    const killed = new Fed();
    killed.take(launch('t'));
    killed.acknowledgeAll();
    killed.take(kill('t'));
    killed.acknowledgeAll();
    expect(killed.take(pulling)).toEqual([]);
  });
});

test('the labels of TASK_RUNNING name all networks and ports', () => {
  const fed = new Fed();
  fed.take(launch('t'), ready('t'), created('t'));
  const port_mappings = [{ host_port: 31001, container_port: 53, protocol: 'udp' }];
  const networks = [
    { name: 'a', port_mappings: [...port_mappings, { host_port: 31002, container_port: 80 }] },
    { name: 'b' },
    {},
  ];
  fed.take({ type: 'running', taskId: 't', networks });
  expect(fed.update().labels?.labels.slice(1)).toEqual([
    { key: 'mesosup.networks', value: 'a,b' },
    { key: 'mesosup.ports', value: '31001:53/udp,31002:80/tcp' },
  ]);
});

describe('a failed task', () => {
  test('reports its exit status, and out of memory', () => {
    expect(running1().briefly(exited('t', 3))).toEqual(['TASK_FAILED', 'remove']);
    const fed = running1();
    fed.take(exited('t', 137, { outOfMemory: true }));
    expect(fed.update()).toMatchObject({
      message: 'Container exited with status 137 (SIGKILL), killed: out of memory (limit 64 MiB)',
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    });
  });

  test('reports the last lines of stderr, and that its container was removed', () => {
    const fed = running1();
    fed.take(exited('t', 1, { lastLines: 'first\nsecond' }));
    expect(fed.update().message).toBe('Container exited with status 1. Last lines of stderr:\nfirst\nsecond');
    const gone = running1();
    gone.take(exited('t', 137, { isRemoved: true }));
    expect(gone.update()).toMatchObject({
      state: 'TASK_FAILED',
      message: 'Container exited with status 137 (SIGKILL) and was removed by another program',
    });
    const killed = running1();
    killed.take(kill('t'), exited('t', 143, { lastLines: 'bye' }));
    expect(killed.update().state).toBe('TASK_KILLING');
    expect(killed.actions.at(-2)).toMatchObject({
      status: { message: 'Container exited with status 143 (SIGTERM) after a stop request' },
    });
  });

  test('does not fail with exit status 0, even if a child process was out of memory', () => {
    expect(running1().briefly(exited('t', 0, { outOfMemory: true }))).toEqual(['TASK_FINISHED', 'remove']);
  });

  test('reports out of memory with an unknown limit', () => {
    const fed = running1(new Fed(), { resources: [] });
    fed.take(exited('t', 137, { outOfMemory: true }));
    expect(fed.update().message).toBe('Container exited with status 137 (SIGKILL), killed: out of memory');
  });

  test('may fail in any phase', () => {
    const fed = new Fed();
    expect(fed.briefly(launch('t'), failed('t'))).toEqual(['TASK_STARTING', 'prepare', 'TASK_FAILED']);
    expect(fed.briefly(launch('u'), ready('u'), failed('u')).at(-1)).toBe('TASK_FAILED');
    expect(fed.briefly(launch('v'), ready('v'), created('v'), failed('v')).slice(-2)).toEqual([
      'TASK_FAILED',
      'remove',
    ]);
    expect(fed.actions.at(-1)).toEqual({ type: 'remove', taskId: 'v', container: 'c-v' });
  });

  test('is TASK_ERROR if its description is invalid', () => {
    const fed = new Fed();
    expect(fed.briefly(launch('t', { data: 'AAAA' }))).toEqual(['TASK_ERROR']);
    expect(fed.update().reason).toBe('REASON_TASK_INVALID');
  });
});

describe('killing', () => {
  test('before the container exists creates none', () => {
    const fed = new Fed();
    fed.take(SUBSCRIBED, launch('t'));
    expect(fed.briefly(kill('t'))).toEqual(['abandon', 'TASK_KILLED']);
    expect(fed.take(ready('t'))).toEqual([]);
  });

  test('while the container is being created waits for it and removes it', () => {
    const fed = new Fed();
    fed.take(SUBSCRIBED, launch('t'), ready('t'));
    expect(fed.briefly(kill('t'))).toEqual(['TASK_KILLING']);
    expect(fed.briefly(created('t'))).toEqual(['TASK_KILLED', 'remove']);
  });

  test('while the container is being created ends with a failed creation', () => {
    const fed = new Fed();
    fed.take(SUBSCRIBED, launch('t'), ready('t'), kill('t'));
    expect(fed.briefly(failed('t'))).toEqual(['TASK_KILLED']);
  });

  test('while the container starts stops it when it runs', () => {
    const fed = new Fed();
    fed.take(SUBSCRIBED, launch('t'), ready('t'), created('t'));
    expect(fed.briefly(kill('t', 3000))).toEqual(['TASK_KILLING']);
    fed.now += 1000;
    expect(fed.take(running('t'))).toEqual([{ type: 'stop', taskId: 't', container: 'c-t', graceMs: 2000 }]);
    expect(fed.briefly(exited('t', 143))).toEqual(['TASK_KILLED', 'remove']);
  });

  test('of a running task uses the grace period of the call, of the task, or 2 s', () => {
    const policy = { kill_policy: { grace_period: { nanoseconds: 7e9 } } };
    const stop = (graceMs: number) => ({ type: 'stop', taskId: 't', container: 'c-t', graceMs });
    expect(running1(new Fed(), policy).take(kill('t', 100)).at(-1)).toEqual(stop(100));
    expect(running1(new Fed(), policy).take(kill('t')).at(-1)).toEqual(stop(7000));
    expect(running1().take(kill('t')).at(-1)).toEqual(stop(2000));
  });

  test('again takes effect only with a shorter grace period', () => {
    const fed = running1();
    expect(fed.briefly(kill('t', 10_000))).toEqual(['TASK_KILLING', 'stop']);
    expect(fed.briefly(kill('t', 20_000))).toEqual([]);
    expect(fed.take(kill('t', 500))).toEqual([{ type: 'stop', taskId: 't', container: 'c-t', graceMs: 500 }]);
    expect(fed.briefly(exited('t', 0))).toEqual(['TASK_KILLED', 'remove']);
  });

  test('sends no TASK_KILLING to a framework without TASK_KILLING_STATE', () => {
    const fed = running1();
    fed.take({ type: 'subscribed', capabilities: [] });
    expect(fed.briefly(kill('t'))).toEqual(['stop']);
  });
});

describe('a refused update', () => {
  test('is sent again with a new uuid', () => {
    const fed = new Fed();
    fed.take(launch('t'));
    const { uuid = '' } = fed.update();
    const [again] = fed.take({ type: 'refused', taskId: 't', uuid });
    expect(again).toMatchObject({ type: 'update', status: { state: 'TASK_STARTING', uuid: 'uuid-2' } });
    expect(listUnacknowledged(fed.state).updates).toMatchObject([{ status: { uuid: 'uuid-2' } }]);
    expect(fed.take({ type: 'refused', taskId: 't', uuid })).toEqual([]);
  });

  test('is dropped if a newer one is in flight', () => {
    const fed = new Fed();
    fed.take(launch('t'));
    const { uuid = '' } = fed.update();
    fed.take(ready('t'), created('t'), running('t'));
    expect(fed.take({ type: 'refused', taskId: 't', uuid })).toEqual([]);
    expect(listUnacknowledged(fed.state).updates.map((u) => u.status.state)).toEqual(['TASK_RUNNING']);
  });
});

describe('shutdown', () => {
  test('kills every task within the grace period, accepts no more tasks, and exits after all acknowledgements', () => {
    const fed = running1(new Fed([], 5000), { kill_policy: { grace_period: { nanoseconds: 60e9 } } });
    fed.take(launch('u'));
    const actions = fed.take({ type: 'shutdown' });
    expect(actions).toContainEqual({ type: 'stop', taskId: 't', container: 'c-t', graceMs: 4000 });
    expect(actions).toContainEqual({ type: 'abandon', taskId: 'u' });
    expect(fed.briefly(launch('late'))).toEqual(['TASK_FAILED']);
    expect(fed.update().reason).toBe('REASON_EXECUTOR_TERMINATED');
    fed.take(exited('t', 0), removed('t'));
    expect(fed.acknowledgeAll().at(-1)).toEqual({ type: 'exit' });
  });

  test('without tasks exits immediately', () => {
    expect(new Fed().take({ type: 'shutdown' })).toEqual([{ type: 'exit' }]);
  });
});

describe('the 2013 form', () => {
  test('runs one task and exits after its last acknowledgement', () => {
    const fed = running1(new Fed(['img', 'arg']), { data: encodeTaskData({ id: 'app' }) });
    expect(fed.briefly(launch('second', { data: encodeTaskData({ id: 'app' }) }))).toEqual(['TASK_ERROR']);
    fed.take(exited('t', 0), removed('t'));
    expect(fed.acknowledgeAll().at(-1)).toEqual({ type: 'exit' });
  });
});

describe('after a restart of the worker', () => {
  const back = (fed: Fed, ...containers: [taskId: string, started: boolean][]): ExecutorInput => {
    fed.state = { ...INITIAL, tasks: new Map(JSON.parse(JSON.stringify([...fed.state.tasks]))) };
    return {
      type: 'recovered',
      containers: containers.map(([taskId, started]) => ({ taskId, container: `c-${taskId}`, started })),
    };
  };

  test('a running container is adopted without an update', () => {
    const fed = running1();
    expect(fed.take(back(fed, ['t', true]))).toEqual([
      { type: 'adopt', taskId: 't', container: 'c-t', output },
    ]);
    expect(fed.briefly(running('t'))).toEqual([]);
    expect(fed.briefly(exited('t', 1))).toEqual(['TASK_FAILED', 'remove']);
  });

  test('a container that was never started is started, a started one is adopted', () => {
    const fed = new Fed();
    fed.take(launch('t'), ready('t'), launch('u'), ready('u'), created('u'));
    expect(fed.briefly(back(fed, ['t', false], ['u', true]))).toEqual(['start', 'adopt']);
    expect(fed.briefly(running('t'), running('u'))).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
  });

  test('a task without a container starts again', () => {
    const fed = new Fed();
    fed.take(launch('t'), launch('u'), ready('u'));
    expect(fed.briefly(back(fed))).toEqual(['prepare', 'prepare']);
    expect(fed.briefly(ready('u'))).toEqual(['create']);
  });

  test('a task with a changed, invalid description is an error', () => {
    const fed = new Fed();
    fed.take(launch('t'), launch('u'));
    const recovered = back(fed);
    const spoilt = [...fed.state.tasks].map(
      ([id, t]) => [id, { ...t, info: launched(id, { data: 'AAAA' }) }] as const,
    );
    fed.state = { ...fed.state, tasks: new Map(spoilt) };
    expect(fed.briefly(ready('u'))).toEqual(['TASK_ERROR']);
    expect(fed.briefly(recovered)).toEqual(['TASK_ERROR']);
  });

  test('a task whose container is missing has failed', () => {
    const fed = running1();
    expect(fed.briefly(back(fed))).toEqual(['TASK_FAILED']);
    expect(fed.update().message).toMatch(/container was removed by another program/);
  });

  test('a kill continues', () => {
    const fed = running1();
    fed.take(kill('t', 5000), launch('u'), ready('u'), kill('u'), launch('v'), ready('v'), kill('v'));
    fed.now += 4000;
    const actions = fed.take(back(fed, ['t', true], ['u', false]));
    expect(actions.map((a) => (a.type === 'update' ? a.status.state : a.type))).toEqual([
      'adopt',
      'stop',
      'TASK_KILLED',
      'remove',
      'TASK_KILLED',
    ]);
    expect(actions[1]).toMatchObject({ graceMs: 1000 });
  });

  test('ended tasks are removed or deleted', () => {
    const fed = running1();
    fed.take(launch('u'), failed('u'), exited('t', 0));
    fed.acknowledgeAll();
    expect([...fed.state.tasks.keys()]).toEqual(['t']);
    expect(fed.take(back(fed, ['t', true]))).toEqual([{ type: 'remove', taskId: 't', container: 'c-t' }]);
    fed.take(back(fed));
    expect(isIdle(fed.state)).toBe(true);
  });

  test('a container of this run without a file keeps running', () => {
    const fed = new Fed();
    expect(fed.briefly(back(fed, ['lost', true]))).toEqual(['adopt']);
    expect(fed.briefly(kill('lost', 0))).toEqual(['stop']);
    expect(fed.briefly(exited('lost', 137))).toEqual(['TASK_KILLED', 'remove']);
  });
});

describe('the policy of the agent', () => {
  const file = '/etc/mesosup/executor.json';
  const task = launched('t', {
    data: encodeTaskData({ id: 't', docker: { image: 'img', args: [], env: {}, options: ['--pid=host'] } }),
  });

  test.each([
    [{ file, policy: { allowPrivileged: false } }, /may not use the parameter "pid"/],
    [{ file, problem: 'is not valid JSON' }, /executor.json on this agent: is not valid JSON/],
  ])('refuses a task at its launch: %j', (policy, message) => {
    const fed = new Fed();
    expect(fed.briefly({ type: 'launch', task, policy })).toEqual(['TASK_ERROR']);
    expect(fed.update()).toMatchObject({
      reason: 'REASON_TASK_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('refuses a task before its container is created', () => {
    const fed = new Fed();
    fed.take(launch('t'), ready('t'));
    const refused = { type: 'failed', taskId: 't', message: 'forbidden', invalid: true } as const;
    expect(fed.briefly(refused)).toEqual(['TASK_ERROR']);
  });
});
