/** The conversion of v2's apps to tasks, and the effect of their checks. */

import { describe, expect, it } from 'vitest';
import { appV2, DOCKER, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import { type DockerTask, decodeTaskData, dockerProblem } from '../../../executor/task-data.ts';
import type { TaskInfo } from '../../../mesos/types.ts';
import { probesOf } from '../../domain/checks.ts';
import type { Task } from '../../domain/task.ts';
import { isHealthy, isReady, isUnhealthy } from '../../domain/task.ts';
import { formOf } from './form.ts';

function launched(fields: Record<string, unknown>): { harness: Harness; info: TaskInfo; task: Task } {
  const harness = new Harness(AGENTS);
  const reply = harness.input(start(appV2(fields)));
  if (reply?.type !== 'deployed') throw new Error(JSON.stringify(reply));
  harness.rest();
  const [task] = harness.state.tasks.values();
  const [simulated] = harness.mesos.tasks.values();
  if (!task || !simulated) throw new Error('nothing was launched');
  return { harness, info: simulated.info, task };
}

function docker(fields: Record<string, unknown>): { data: DockerTask; info: TaskInfo; task: Task } {
  const { info, task } = launched({ cmd: undefined, ...fields });
  const data = decodeTaskData(info.data ?? '').docker;
  if (!data) throw new Error('no Docker task');
  expect(dockerProblem(data)).toBeUndefined();
  return { data, info, task };
}

const variables = ({ command }: TaskInfo) =>
  Object.fromEntries((command?.environment?.variables ?? []).map(({ name, value }) => [name, value]));

describe('the CPU quota', () => {
  it.each([
    [{}, {}, undefined],
    [{ cpuQuota: true }, {}, true],
    [{}, { dockerCpuQuota: true }, true],
    [{ cpuQuota: false }, { dockerCpuQuota: true }, false],
  ])('of the app %j with the flags %j is %s', (more, flags, expected) => {
    const harness = new Harness(AGENTS, flags);
    harness.input(
      start(appV2({ cmd: undefined, container: { docker: { image: 'x', ...more }, type: 'DOCKER' } })),
    );
    harness.rest();
    const [simulated] = harness.mesos.tasks.values();
    expect(decodeTaskData(simulated?.info.data ?? '').docker?.cpuQuota).toBe(expected);
  });
});

describe('a plain command', () => {
  it('has Marathon’s environment variables, overridden by those of the app', () => {
    const { info, task } = launched({
      id: '/a/b',
      user: 'somebody',
      env: { HOST: 'mine' },
      labels: { 'my-label': 'x', long: 'x'.repeat(513) },
      portDefinitions: [{ name: 'http' }, {}],
      fetch: [{ uri: 'http://u', extract: false }],
      taskKillGracePeriodSeconds: 7,
    });
    expect(info).toMatchObject({
      name: 'b.a',
      command: {
        value: 'sleep 1000',
        shell: true,
        user: 'somebody',
        uris: [{ value: 'http://u', extract: false }],
      },
      kill_policy: { grace_period: { nanoseconds: 7e9 } },
      labels: { labels: [{ key: 'my-label', value: 'x' }, { key: 'long' }] },
    });
    const [first, second] = task.ports;
    expect(variables(info)).toMatchObject({
      HOST: 'mine',
      MESOS_TASK_ID: task.id,
      MARATHON_APP_ID: '/a/b',
      MARATHON_APP_VERSION: task.version,
      MARATHON_APP_LABELS: 'MY_LABEL',
      MARATHON_APP_LABEL_MY_LABEL: 'x',
      PORT_HTTP: String(first),
      PORT1: String(second),
      PORTS: `${first},${second}`,
    });
    expect(task.id).toMatch(
      /^a_b\.instance-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}\._app\.1$/,
    );
  });

  it('is killed with the grace period of the app', () => {
    const { harness, task } = launched({ taskKillGracePeriodSeconds: 7 });
    harness.input({ type: 'kill_tasks', filter: { taskId: task.id }, scale: false });
    expect(harness.mesos.calls.findLast(({ type }) => type === 'KILL')).toMatchObject({
      kill: { kill_policy: { grace_period: { nanoseconds: 7e9 } } },
    });
  });

  it.each([
    [{ cmd: undefined }, ['cmd'], 'may not be empty'],
    [{ container: { docker: { image: '-v' } } }, ['container'], "'-v' is not an image name"],
    [{ container: { docker: { image: 'redis/' } } }, ['container'], "'redis/' is not an image name"],
    [{ container: { docker: { image: 'a//b' } } }, ['container'], "'a//b' is not an image name"],
  ])('that could never run is refused: %j', (fields, path, error) => {
    const reply = new Harness(AGENTS).input(start(appV2(fields)));
    expect(reply).toEqual({ type: 'invalid', errors: [{ path, error }] });
  });
});

describe('the executor', () => {
  const container = { type: 'DOCKER', docker: { image: 'x' } };

  it.each(['', '//cmd'])('%j runs an image in its container, with or without cmd', (executor) => {
    expect(docker({ executor, container, cmd: 'id' }).data).toMatchObject({ image: 'x', args: ['-c', 'id'] });
    expect(docker({ executor, container }).data).toMatchObject({ image: 'x', args: [] });
  });

  it('//cmd of an app that an earlier release stored runs the image too', () => {
    const harness = new Harness(AGENTS);
    const app = { ...appV2({ executor: '//cmd', container }), instances: 1 };
    expect(formOf(app, harness.state.settings)).toEqual({ type: 'shared' });
  });

  it('of another path gets args as its words', () => {
    const { info } = launched({ cmd: undefined, executor: '/opt/run', args: ['a b', "it's"] });
    expect(info.executor?.command?.value).toBe(`/opt/run 'a b' 'it'\\''s'`);
  });

  it.each([
    [{ container }],
    [{ container: { type: 'MESOS', volumes: [{ containerPath: '/a', hostPath: '/b' }] } }],
    [{ networks: [{ mode: 'container/bridge' }] }],
  ])('of another path is refused with a container: %j', (fields) => {
    const reply = new Harness(AGENTS).input(start(appV2({ executor: '/opt/run', ...fields })));
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ path: ['executor'] }] });
  });

  it.each([
    [{ container: { type: 'MESOS', volumes: [{ containerPath: '/a', hostPath: '/b' }] } }],
    [{ networks: [{ mode: 'container/bridge' }] }],
  ])(
    'of Docker, with the image in the command as in 2013, is refused with fields of a container: %j',
    (fields) => {
      const one = appV2({ executor: DOCKER, cmd: 'johncosta/redis', ...fields });
      const reply = new Harness(AGENTS).input(start(one));
      expect(reply).toMatchObject({ type: 'invalid', errors: [{ path: ['container', 'docker'] }] });
    },
  );
});

describe('args without a container', () => {
  it('are the program and its arguments', () => {
    const { info } = launched({ cmd: undefined, args: ['/bin/sleep', '30'] });
    expect(info.command).toMatchObject({
      value: '/bin/sleep',
      shell: false,
      arguments: ['/bin/sleep', '30'],
    });
  });
});

describe('checks that the executor makes', () => {
  const command = (value: string, more = {}) => ({ protocol: 'COMMAND', command: { value }, ...more });

  it('run together if they are commands, and pass if all pass', () => {
    const { info } = launched({ healthChecks: [command('a # x', { timeoutSeconds: 3 }), command('b')] });
    expect(info.health_check).toMatchObject({
      type: 'COMMAND',
      command: { value: '(\na # x\n) && (\nb\n)', shell: true },
      interval_seconds: 60,
      timeout_seconds: 23,
    });
  });

  it('are otherwise the first, as in Marathon', () => {
    const { info } = launched({ healthChecks: [{ protocol: 'MESOS_TCP' }, command('a')] });
    expect(info.health_check).toMatchObject({ type: 'TCP' });
  });

  it('have an absolute path', () => {
    const { info } = launched({ healthChecks: [{ protocol: 'MESOS_HTTP', path: 'ping' }] });
    expect(info.health_check).toMatchObject({ http: { path: '/ping' } });
    const probed = appV2({
      healthChecks: [{ path: 'ping' }, {}],
      readinessChecks: [{ path: 'ready', portName: 'default' }],
    });
    const paths = probesOf(probed, { host: 'h', ports: [1] }).map(({ check }) => check.http?.path);
    expect(paths).toEqual(['/ping', '/', '/ready']);
  });
});

describe('a container', () => {
  it('has variables for all its ports, and discovery information', () => {
    const portMappings = [
      { containerPort: 80, name: 'web-1' },
      { containerPort: 0, hostPort: 0 },
      { containerPort: 0, servicePort: 12_345 },
    ];
    const networks = [{ mode: 'container', name: 'n' }];
    const { data, info, task } = docker({ container: { docker: { image: 'i' }, portMappings }, networks });
    const [port] = task.ports;
    expect(task.ports).toHaveLength(1);
    const expected = {
      PORT0: '80',
      PORT_80: '80',
      PORT_WEB_1: '80',
      'PORT_WEB-1': '80',
      PORT1: String(port),
      [`PORT_${port}`]: String(port),
      PORT2: '12345',
      PORT_12345: '12345',
      PORT: String(port),
      PORTS: `${port},12345`,
    };
    const env = Object.entries(data.env).filter(([name]) => name.startsWith('PORT'));
    expect(Object.fromEntries(env)).toEqual(expected);
    expect(data.ports).toEqual([{ host: port, container: port, protocol: 'tcp' }]);
    expect(info.discovery?.ports?.ports.map(({ number }) => number)).toEqual([80, port, 12_345]);
  });

  it('with files to fetch has an executor of its own, which gets nothing of the app but the URIs', () => {
    const fetch = [
      { uri: 'http://u/a.tgz', cache: true, destPath: 'd/a.tgz' },
      { uri: 'file:///x', extract: false, executable: true },
    ];
    const fields = {
      user: 'web',
      env: { LD_PRELOAD: '/x.so' },
      args: ['a'],
      container: { docker: { image: 'i' } },
    };
    const { data, info, task } = docker({ ...fields, fetch });
    const shared = docker(fields);
    expect(data).toMatchObject({
      image: 'i',
      args: ['a'],
      env: { LD_PRELOAD: '/x.so', MESOS_TASK_ID: task.id },
    });
    expect(info.executor).toEqual({
      ...shared.info.executor,
      executor_id: { value: task.id },
      resources: [],
      framework_id: info.executor?.framework_id,
      command: {
        ...shared.info.executor?.command,
        environment: { variables: [{ name: 'MESOSUP_EXECUTOR_IDLE_TIMEOUT', value: '10' }] },
        uris: [
          { value: 'http://u/a.tgz', extract: true, executable: false, cache: true, output_file: 'd/a.tgz' },
          { value: 'file:///x', extract: false, executable: true },
        ],
      },
    });
  });

  it('has the port mappings of the app', () => {
    const portMappings = [
      { containerPort: 80, name: 'http' },
      { containerPort: 0, protocol: 'udp,tcp' },
    ];
    const { data, task } = docker({ container: { docker: { image: 'i' }, portMappings } });
    const [first = 0, second = 0] = task.ports;
    expect(data.ports).toEqual([
      { host: first, container: 80, protocol: 'tcp' },
      { host: second, container: second, protocol: 'udp' },
      { host: second, container: second, protocol: 'tcp' },
    ]);
    expect(data.env).toMatchObject({
      PORT_80: String(first),
      PORT_HTTP: String(first),
      MARATHON_APP_DOCKER_IMAGE: 'i',
    });
    expect([data.options, data.args]).toEqual([[], []]);
  });

  it('is described with options of Docker', () => {
    const { data } = docker({
      args: ['--port', '80'],
      container: {
        docker: {
          image: 'i',
          forcePullImage: true,
          privileged: true,
          parameters: [{ key: 'hostname', value: 'h x' }],
        },
        volumes: [{ hostPath: '/h', containerPath: '/c', mode: 'ro' }],
      },
    });
    expect(data).toMatchObject({
      image: 'i',
      args: ['--port', '80'],
      options: ['--network', 'host', '--privileged', '-v', '/h:/c:ro', '--hostname=h x'],
      ports: [],
      forcePull: true,
    });
    const named = docker({
      container: { docker: { image: 'i' } },
      networks: [{ mode: 'container', name: 'n' }],
    });
    expect(named.data.options).toEqual(['--network', 'n']);
  });

  it('is described without unused fields, so that executors of older releases accept it', () => {
    const { data } = docker({ container: { docker: { image: 'i' } } });
    expect(Object.keys(data).sort()).toEqual(['args', 'env', 'image', 'options', 'ports']);
  });

  it('runs a command in its own shell', () => {
    const { data } = docker({ cmd: 'a && b', container: { docker: { image: 'i' } } });
    expect([data.options.slice(-2), data.args]).toEqual([
      ['--entrypoint', '/bin/sh'],
      ['-c', 'a && b'],
    ]);
  });

  it('may have the 2013 form in v2 too', () => {
    const { data } = docker({ cmd: 'redis --x', executor: DOCKER });
    expect(data).toMatchObject({ image: 'redis', args: ['--x'] });
    expect(data).not.toHaveProperty('ports');
  });
});

describe('checks', () => {
  const mesos = { protocol: 'MESOS_HTTP', path: '/x', intervalSeconds: 2, delaySeconds: 0 };

  it('on the agent are part of the task', () => {
    const { info, task } = launched({ healthChecks: [mesos] });
    expect(info.health_check).toEqual({
      type: 'HTTP',
      http: { port: task.ports[0], path: '/x', scheme: 'http' },
      delay_seconds: 0,
      interval_seconds: 2,
      timeout_seconds: 20,
      grace_period_seconds: 300,
      consecutive_failures: 3,
    });
    expect([task.checked, isReady(task), isHealthy(task)]).toEqual([true, false, false]);
    const command = { protocol: 'COMMAND', command: { value: 'true' } };
    expect(launched({ healthChecks: [command] }).info.health_check).toMatchObject({
      type: 'COMMAND',
      command: { value: 'true', shell: true },
    });
    expect(launched({ healthChecks: [{ protocol: 'MESOS_TCP', port: 5 }] }).info.health_check).toMatchObject({
      type: 'TCP',
      tcp: { port: 5 },
    });
  });

  it('by the scheduler make a task ready once all have passed, and kill it when one finally fails', () => {
    const readiness = { portName: 'http', httpStatusCodesForReady: [204] };
    const { harness, task } = launched({
      portDefinitions: [{}, { name: 'http' }],
      healthChecks: [{ protocol: 'HTTPS' }, { protocol: 'TCP', portIndex: 1 }],
      readinessChecks: [readiness],
    });
    expect(task.probes).toBe(3);
    expect(harness.state.deployments.size).toBe(1);
    const tell = (probe: number, healthy: boolean, giveUp?: string) =>
      harness.input({
        type: 'probed',
        taskId: task.id,
        probe,
        healthy,
        ...(giveUp !== undefined && { giveUp }),
      });
    tell(0, true);
    tell(1, true);
    tell(2, false);
    expect([isReady(task), isUnhealthy(task)]).toEqual([false, true]);
    tell(2, true);
    tell(2, true);
    expect([isReady(task), isHealthy(task), isUnhealthy(task)]).toEqual([true, true, false]);
    expect(harness.state.deployments.size).toBe(0);
    tell(1, false, 'it failed');
    expect(task.killedAt).toBeDefined();
    expect(harness.state.apps.get('/sleeper')?.lastFailure).toMatchObject({ message: 'it failed' });
    const calls = harness.mesos.calls.length;
    tell(1, false, 'it failed again');
    harness.input({ type: 'probed', taskId: 'unknown', probe: 0, healthy: true });
    expect(harness.mesos.calls).toHaveLength(calls);
  });
});
