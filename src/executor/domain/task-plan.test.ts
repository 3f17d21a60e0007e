import { describe, expect, test } from 'vitest';
import type { TaskInfo } from '../../mesos/types.ts';
import { encodeTaskData } from '../task-data.ts';
import { hostPortsOf, type OwnCommand, planTask } from './task-plan.ts';

const SHARED: OwnCommand = { argv: [], env: { PATH: '/bin', FOO: 'own' } };

function task(data: unknown, resources: TaskInfo['resources'] = []): TaskInfo {
  return {
    name: 'app',
    task_id: { value: 't' },
    agent_id: { value: 'a' },
    resources,
    ...(data !== undefined && { data: Buffer.from(JSON.stringify(data)).toString('base64') }),
  };
}

const scalar = (name: string, value: number) => ({ name, type: 'SCALAR' as const, scalar: { value } });
const ports = (...range: { begin: number; end: number }[]) => ({
  name: 'ports',
  type: 'RANGES' as const,
  ranges: { range },
});

describe('the shared form', () => {
  const docker = { image: 'johncosta/redis', args: ['--port', '1'], env: { A: 'b' }, options: ['--rm=true'] };

  test('comes from TaskInfo.data, with the limits of the resources', () => {
    const resources = [
      scalar('cpus', 0.25),
      scalar('cpus', 0.25),
      scalar('mem', 512.5),
      scalar('gpus', 2),
      scalar('disk', 10.2),
      ports({ begin: 31005, end: 31006 }, { begin: 31000, end: 31000 }),
    ];
    const labels = { labels: [{ key: 'a', value: 'b' }, { key: 'empty' }] };
    const labelled = { ...task({ id: 'app', env: { A: 'app' }, docker }, resources), labels };
    expect(planTask(labelled, SHARED)).toEqual({
      ...docker,
      hostPorts: [31005, 31006, 31000],
      cpus: 0.5,
      gpus: 2,
      diskMiB: 11,
      labels: [
        ['a', 'b'],
        ['empty', ''],
      ],
      memoryBytes: 512.5 * 1024 * 1024,
      single: false,
    });
  });

  test('has no limit without CPUs or memory', () => {
    expect(planTask(task({ id: 'app', docker }), SHARED)).toMatchObject({ cpus: 0, memoryBytes: undefined });
  });

  test('keeps a CPU quota that is off, since the policy of the agent may turn it on', () => {
    const plan = planTask(task({ id: 'app', docker: { ...docker, cpuQuota: false } }), SHARED);
    expect(plan.cpuQuota).toBe(false);
  });

  test('may name the ports to publish and force a pull', () => {
    const named = { ...docker, ports: [{ host: 31000, container: 80, protocol: 'tcp' }], forcePull: true };
    expect(planTask(task({ id: 'app', docker: named }), SHARED)).toMatchObject(named);
    expect(planTask(task({ id: 'app', docker: { ...docker, forcePull: false } }), SHARED)).not.toHaveProperty(
      'forcePull',
    );
  });

  test.each([
    ['no JSON', Buffer.from('{').toString('base64'), /TaskInfo.data can't be read/],
    ['no app', encodeTaskData(JSON.parse('{"id":7}')), /TaskInfo.data can't be read/],
  ])('data that is %s', (_name, data, message) => {
    expect(() => planTask({ ...task(undefined), data }, SHARED)).toThrow(message);
  });

  test.each([
    [null, /docker must be an object with an image/],
    ['redis', /docker must be an object with an image/],
    [{ ...docker, volumes: [] }, /does not support docker.volumes/],
    [{ ...docker, constructor: 1 }, /does not support docker.constructor: install/],
    [{ ...docker, image: 1 }, /TaskInfo.data: docker.image must be a string/],
    [{ ...docker, args: 'redis' }, /docker.args must be a list/],
    [{ ...docker, options: ['--rm', 1] }, /docker.options\[1\] must be a string/],
    [{ ...docker, options: ['--', 'evil'] }, /options are invalid: "--" is not an option/],
    [{ ...docker, options: ['--rm', 'evil'] }, /"evil" is neither an option nor a value/],
    [{ ...docker, options: ['-l', 'mesosup.task=x'] }, /The label "mesosup.task=x" is invalid/],
    [{ ...docker, forcePull: 'yes' }, /docker.forcePull must be true or false/],
    [{ ...docker, ports: null }, /docker.ports must be a list/],
    [
      { ...docker, ports: [{ host: 0, container: 80, protocol: 'tcp' }] },
      /docker.ports\[0\].host must be a whole number from 1 to 65535/,
    ],
    [
      { ...docker, ports: [{ host: 1, container: 80, protocol: 'x' }] },
      /docker.ports\[0\].protocol must be one of tcp, udp, sctp/,
    ],
    [
      { ...docker, ports: [{ host: 1, container: 80, protocol: 'tcp', address: '::' }] },
      /does not support docker.ports\[0\].address/,
    ],
    [{ ...docker, env: { A: 1 } }, /docker.env.A must be a string/],
    [{ ...docker, env: ['A'] }, /docker.env must be an object/],
    [{ image: 'x' }, /docker.args is missing/],
    [{ ...docker, image: '' }, /"" is not a valid image name/],
    [{ ...docker, image: '--privileged' }, /not a valid image name/],
    [{ ...docker, image: 'a/../b' }, /not a valid image name/],
    [{ ...docker, image: 'a b' }, /not a valid image name/],
    [{ ...docker, image: 'redis/' }, /not a valid image name/],
    [{ ...docker, image: 'a//b' }, /not a valid image name/],
    [{ ...docker, env: { '': 'x' } }, /"" is not a valid name/],
    [{ ...docker, env: { 'A=B': 'x' } }, /"A=B" is not a valid name/],
    [{ ...docker, env: { '#A': 'x' } }, /is not a valid name/],
    [{ ...docker, env: { 'A B': 'x' } }, /is not a valid name/],
    [{ ...docker, env: { A: 'x\0' } }, /A contains a NUL/],
    [{ ...docker, env: { DOCKER_HOST: 'a\nb' } }, /DOCKER_HOST can't contain a line break/],
  ])('refuses %j', (bad, message) => {
    expect(() => planTask(task({ id: 'app', docker: bad }), SHARED)).toThrow(message);
  });
});

test.each(['LD_PRELOAD', 'LD_AUDIT', 'GLIBC_TUNABLES', 'GODEBUG', 'GCONV_PATH', 'BASH_ENV', 'BASH_FUNC_x%%'])(
  'the variable %s can’t run code in the docker program, which would get a value with a line break itself',
  (name) => {
    const docker = { image: 'x', args: [], options: [], env: { [name]: '/mnt/x.so:\n' } };
    expect(() => planTask(task({ id: 'app', docker }), SHARED)).toThrow(`${name} can't contain a line break`);
    const short = { ...docker, env: { [name]: '/mnt/x.so' } };
    expect(planTask(task({ id: 'app', docker: short }), SHARED).env).toEqual(short.env);
  },
);

describe('the 2013 form', () => {
  const own: OwnCommand = {
    argv: ['johncosta/redis', '--port', '1'],
    env: {
      PATH: '/bin',
      PWD: '/x',
      MESOS_DIRECTORY: '/x',
      LIBPROCESS_PORT: '0',
      MESOSUP_CLUSTER: 'c',
      PORT0: '1',
      A: 'own',
      U: undefined,
    },
  };

  test('has image, arguments and environment from the process; the app’s environment takes precedence', () => {
    expect(planTask(task({ id: 'app', env: { A: 'app' } }, [ports({ begin: 1, end: 1 })]), own)).toEqual({
      image: 'johncosta/redis',
      args: ['--port', '1'],
      env: { PORT0: '1', A: 'app' },
      options: [],
      hostPorts: [1],
      cpus: 0,
      memoryBytes: undefined,
      gpus: 0,
      diskMiB: 0,
      labels: [],
      single: true,
    });
  });

  test('container.image replaces the image, and container.options are passed on', () => {
    const container = { image: 'docker:///other/image', options: ['-v', '/a:/a'] };
    expect(planTask(task({ id: 'app', container }), own)).toMatchObject({
      image: 'other/image',
      args: own.argv,
      options: ['--volume=/a:/a'],
    });
  });

  test('works without data, and with data of another framework', () => {
    expect(planTask(task(undefined), own)).toMatchObject({ image: 'johncosta/redis', single: true });
    expect(planTask({ ...task(undefined), data: 'AAAA' }, own)).toMatchObject({ image: 'johncosta/redis' });
  });

  test('needs an image from somewhere', () => {
    expect(() => planTask(task({ id: 'app' }), SHARED)).toThrow(/has no image.*docker part/);
  });
});

test('ports come in the order of the resources, from all of them', () => {
  expect(
    hostPortsOf(
      task(undefined, [ports({ begin: 5, end: 6 }), scalar('mem', 1), ports({ begin: 1, end: 1 })]),
    ),
  ).toEqual([5, 6, 1]);
});
