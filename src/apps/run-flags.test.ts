import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors/mesosup-error.ts';
import { appSchema } from '../scheduler/domain/app-schema.ts';
import { appFromFlags, envFileLines, idOfImage, type RunOptions } from './run-flags.ts';

const run = (options: Partial<RunOptions>) =>
  appFromFlags({ image: 'redis:7', args: [], ...options }, { HOME: '/h', SECRET: 's3cret' });

describe('appFromFlags', () => {
  it('runs an image in a bridge network, with an id from the image', () => {
    expect(run({})).toEqual({
      id: 'redis',
      container: { type: 'DOCKER', docker: { image: 'redis:7' } },
      networks: [{ mode: 'container/bridge' }],
    });
  });

  it('builds an app that the scheduler accepts from every flag', () => {
    const app = run({
      id: '/shop/db',
      instances: 2,
      cpus: 0.5,
      mem: 64,
      port: ['6379', '80:8080/udp'],
      env: ['A=b=c', 'SECRET'],
      envLines: ['A=overridden', 'B=x'],
      volume: ['/data:/d:ro', 'named:/n'],
      network: 'backend',
      label: ['tier=db'],
      constraint: ['hostname:UNIQUE', 'rack:IS:a:b'],
      check: 'http:/health',
      user: 'nobody',
      parameter: ['hostname=x'],
      args: ['--save', ''],
    });
    expect(app).toMatchObject({
      id: '/shop/db',
      env: { A: 'b=c', B: 'x', SECRET: 's3cret' },
      args: ['--save', ''],
      constraints: [
        ['hostname', 'UNIQUE'],
        ['rack', 'IS', 'a:b'],
      ],
      networks: [{ mode: 'container', name: 'backend' }],
      container: {
        volumes: [
          { hostPath: '/data', containerPath: '/d', mode: 'RO' },
          { hostPath: 'named', containerPath: '/n', mode: 'RW' },
        ],
        portMappings: [
          { containerPort: 6379, protocol: 'tcp' },
          { containerPort: 8080, hostPort: 80, protocol: 'udp' },
        ],
      },
      healthChecks: [{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0 }],
    });
    expect(appSchema.safeParse(app)).toMatchObject({ success: true });
    for (const check of ['tcp', 'http', 'cmd:true']) {
      const checked = appSchema.safeParse(run({ port: ['1'], check }));
      expect(checked).toMatchObject({ success: true });
    }
  });

  it('uses the ports of the host with --network host', () => {
    expect(run({ network: 'host', port: ['80', '53/udp'] })).toMatchObject({
      portDefinitions: [
        { port: 80, protocol: 'tcp' },
        { port: 53, protocol: 'udp' },
      ],
      requirePorts: true,
    });
  });

  it.each<[string, Partial<RunOptions>]>([
    ['--port x', { port: ['x'] }],
    ['--port 1:70000', { port: ['1:70000'] }],
    ['--port HOST:CONTAINER has no effect', { network: 'host', port: ['1:2'] }],
    ['--volume /a', { volume: ['/a'] }],
    ['--volume /a:/b:xx', { volume: ['/a:/b:xx'] }],
    ['--env NONE', { env: ['NONE'] }],
    ['--env, or a line of --env-file', { env: ['=x'] }],
    ['--label x', { label: ['x'] }],
    ['--constraint hostname', { constraint: ['hostname'] }],
    ['--check ftp', { check: 'ftp', port: ['1'] }],
    ['--check http:x', { check: 'http:x', port: ['1'] }],
    ['--check tcp needs a port', { check: 'tcp' }],
    ['--cmd and arguments', { cmd: 'a', args: ['b'] }],
    ['--parameter x', { parameter: ['x'] }],
  ])('refuses %s', (message, options) => {
    expect(() => run(options)).toThrow(UsageError);
    expect(() => run(options)).toThrow(message);
  });
});

it.each(['=s3cret', 'PASSWORD s3cret', 's3cret/+', 'export A=s3cret'])(
  'shows no line of a file that sets no variable: %s',
  (line) => {
    expect(() => run({ envLines: [line] })).toThrow(/^(?!.*s3cret).*NAME=VALUE/);
  },
);

it.each([
  ['redis', 'redis'],
  ['registry.example:5000/team/Web_App:1.2', 'web-app'],
  ['nginx@sha256:0123', 'nginx'],
])('derives an id from the image %s', (image, id) => {
  expect(idOfImage(image)).toBe(id);
});

it('reads files of variables without comments', () => {
  expect(envFileLines('# x\nA=1\r\n\n  B= 2 \nC\n')).toEqual(['A=1', 'B= 2 ', 'C']);
});
