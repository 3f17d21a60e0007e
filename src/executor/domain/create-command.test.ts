import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAN } from '../../../test/executor/plan.ts';
import type { PortPair } from '../task-data.ts';
import { type CreateInput, createCommand, pairPorts, publishedPorts } from './create-command.ts';

const SANDBOX = [
  ...['--mount', 'type=bind,src=/run/tasks/a/sandbox,dst=/mnt/mesos/sandbox'],
  ...['-e', 'MESOS_SANDBOX=/mnt/mesos/sandbox'],
];
const input: CreateInput = {
  plan: {
    ...PLAN,
    image: 'johncosta/redis',
    args: ['redis-server', '--port', '6379'],
    env: { PASSWORD: 'secret', MOTD: 'two\nlines', EMPTY: '' },
    options: ['-v', '/data:/data', '--rm'],
    hostPorts: [31000, 31001],
  },
  exposed: ['6379/tcp', '53/udp'],
  name: 'mesosup-run-abc',
  defaults: ['--cpu-shares=1024', '--init=true'],
  labels: { 'mesosup.task': 'multidis_0', 'mesosup.cluster': 'demo' },
  publishAddress: undefined,
  sandbox: '/run/tasks/a/sandbox',
  volumes: [],
  envFilePath: '/proc/self/fd/0',
};

test('builds a command with all options', () => {
  expect(createCommand(input)).toEqual({
    argv: [
      ...['create', '--name', 'mesosup-run-abc'],
      ...['--cpu-shares=1024', '--init=true'],
      ...['-p', '31000:53/udp', '-p', '31001:6379'],
      ...['--env-file', '/proc/self/fd/0', '-e', 'MOTD'],
      ...SANDBOX,
      ...['-v', '/data:/data', '--rm'],
      ...['--label', 'mesosup.task=multidis_0', '--label', 'mesosup.cluster=demo'],
      ...['johncosta/redis', 'redis-server', '--port', '6379'],
    ],
    envFile: 'PASSWORD=secret\nEMPTY=\n',
    environment: { MOTD: 'two\nlines' },
  });
});

test('mounts paths of the sandbox, with any names', () => {
  const volumes = [
    { source: '/run/tasks/a/sandbox/a,b', target: '/data', readOnly: false },
    { source: '/run/tasks/a/sandbox/c', target: '/d,e', readOnly: true },
  ];
  expect(createCommand({ ...input, volumes }).argv.filter((_, i, all) => all[i - 1] === '--mount')).toEqual([
    SANDBOX[1],
    'type=bind,"src=/run/tasks/a/sandbox/a,b",dst=/data',
    'type=bind,src=/run/tasks/a/sandbox/c,"dst=/d,e",readonly',
  ]);
});

test('publishes only the ports that the task names', () => {
  const mapped = { host: 31001, container: 80, protocol: 'tcp' };
  const published = (ports: PortPair[]) =>
    createCommand({ ...input, plan: { ...input.plan, ports } }).argv.filter(
      (_, i, all) => all[i - 1] === '-p',
    );
  expect(published([mapped, { ...mapped, protocol: 'udp' }])).toEqual(['31001:80', '31001:80/udp']);
  expect(published([])).toEqual([]);
  expect(publishedPorts({ ...input.plan, ports: [mapped] }, input.exposed).warnings).toEqual([]);
});

test('builds the shortest command', () => {
  const plan = {
    ...input.plan,
    env: {},
    options: [],
    args: [],
    hostPorts: [],
  };
  const command = createCommand({ ...input, plan, exposed: [], defaults: [], labels: {} });
  expect(command).toEqual({
    argv: ['create', '--name', 'mesosup-run-abc', ...SANDBOX, 'johncosta/redis'],
    envFile: '',
    environment: {},
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1:31000:6379'],
  ['fd00::1', '[fd00::1]:31000:6379'],
  ['[fd00::1]', '[fd00::1]:31000:6379'],
])('ports published on %s', (publishAddress, expected) => {
  const { argv } = createCommand({ ...input, exposed: ['6379/tcp'], publishAddress });
  expect(argv[argv.indexOf('-p') + 1]).toBe(expected);
});

test('no value of the environment is ever an argument', () => {
  // Values long enough not to occur in other arguments by chance.
  const value = fc.string({ minLength: 4, maxLength: 30 }).map((v) => `?${v.replaceAll('\0', '')}?`);
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), value), (env) => {
      const { argv, envFile, environment } = createCommand({ ...input, plan: { ...input.plan, env } });
      for (const [name, text] of Object.entries(env)) {
        expect(argv.some((word) => word.includes(text))).toBe(false);
        const inFile = envFile.split('\n').includes(`${name}=${text}`);
        expect(inFile).toBe(environment[name] === undefined);
        if (!inFile) expect(environment[name]).toBe(text);
      }
    }),
  );
});

describe('pairing ports', () => {
  test('exposed ports are sorted by number, then by protocol', () => {
    const exposed = ['9000/tcp', '80', '53/udp', '53/tcp', 'nonsense'];
    expect(pairPorts(exposed, [1, 2, 3, 4])).toEqual({
      pairs: [
        { host: 1, container: 53, protocol: 'tcp' },
        { host: 2, container: 53, protocol: 'udp' },
        { host: 3, container: 80, protocol: 'tcp' },
        { host: 4, container: 9000, protocol: 'tcp' },
      ],
      warnings: [],
    });
  });

  test('unpaired ports on either side yield a warning; the other ports are paired', () => {
    expect(pairPorts(['1/tcp', '2/tcp', '3/udp'], [31000])).toEqual({
      pairs: [{ host: 31000, container: 1, protocol: 'tcp' }],
      warnings: ['the image exposes 2/tcp, 3/udp, but the task has no more ports; they are not published'],
    });
    expect(pairPorts(['1/tcp'], [31000, 31001, 31002])).toEqual({
      pairs: [{ host: 31000, container: 1, protocol: 'tcp' }],
      warnings: ['the task has ports 31001, 31002, but the image exposes no more ports; they are not used'],
    });
  });
});

test('a path with a comma or a quotation mark stays one field of the mount', () => {
  const { argv } = createCommand({ ...input, sandbox: '/a,readonly/"b' });
  expect(argv[argv.indexOf('--mount') + 1]).toBe('type=bind,"src=/a,readonly/""b",dst=/mnt/mesos/sandbox');
});
