import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appV2 } from '../../../test/scheduler/fixtures.ts';
import { agentCheck, needsAddress, probesOf } from './checks.ts';
import { addressOf, addressText, taskPorts } from './task-ports.ts';

const IMAGE = { type: 'DOCKER', docker: { image: 'x' } };
const NETWORKS = {
  host: [{ mode: 'host' }],
  bridge: [{ mode: 'container/bridge' }],
  user: [{ mode: 'container', name: 'n' }],
} as const;
const MIXED = [
  { containerPort: 80, name: 'web', servicePort: 10_000 },
  { containerPort: 81, hostPort: 0, servicePort: 10_001 },
  { containerPort: 0, servicePort: 10_002 },
  { containerPort: 0, hostPort: 0, servicePort: 10_003 },
];
const TASK = {
  host: 'h1',
  ports: [31_000, 31_001],
  addresses: [{ ipAddress: '10.0.0.7', protocol: 'IPv4' as const }],
};

function app(networks: keyof typeof NETWORKS, portMappings: unknown, more: Record<string, unknown> = {}) {
  return appV2({
    cmd: undefined,
    container: { ...IMAGE, portMappings },
    networks: NETWORKS[networks],
    ...more,
  });
}

describe('a port of a task', () => {
  it('is reached on the host if it is published there, else at the container', () => {
    const ports = taskPorts(app('user', MIXED), TASK.ports);
    expect(ports.map(({ hostPort, containerPort }) => [hostPort, containerPort])).toEqual([
      [undefined, 80],
      [31_000, 81],
      [undefined, 10_002],
      [31_001, 31_001],
    ]);
    expect(ports.map((port) => addressOf(port, TASK))).toEqual([
      { host: '10.0.0.7', port: 80 },
      { host: 'h1', port: 31_000 },
      { host: '10.0.0.7', port: 10_002 },
      { host: 'h1', port: 31_001 },
    ]);
    const [first, second] = ports.map((port) => addressOf(port, { host: 'h1' }));
    expect([first, second]).toEqual([undefined, { host: 'h1', port: 31_000 }]);
  });

  it('is always one of the host in its network and in a bridge', () => {
    const bridged = taskPorts(app('bridge', [{ containerPort: 80 }]), [31_000]);
    expect(bridged).toMatchObject([{ hostPort: 31_000, containerPort: 80 }]);
    const plain = taskPorts(appV2({ portDefinitions: [{ port: 80 }] }), [31_000]);
    expect(plain).toMatchObject([{ hostPort: 31_000, containerPort: undefined, servicePort: 80 }]);
  });

  it('without any number is in no other mapping’s way', () => {
    const port = fc.constantFrom(0, 9000, 9001, 9002);
    const mapping = fc.record({
      containerPort: port,
      hostPort: fc.option(fc.constant(0), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(mapping, { minLength: 1, maxLength: 6 }), (mappings) => {
        const numbered = mappings.map((one, i) => ({ ...one, servicePort: 9000 + i }));
        const hostPorts = mappings.filter(({ hostPort }) => hostPort !== undefined).map((_, i) => 9001 + i);
        const ports = taskPorts(app('user', numbered), hostPorts);
        const chosen = ports.filter(
          ({ hostPort }, i) => hostPort === undefined && mappings[i]?.containerPort === 0,
        );
        for (const { containerPort } of chosen) {
          expect(ports.filter((one) => one.containerPort === containerPort)).toHaveLength(1);
        }
        expect(ports.flatMap(({ hostPort }) => hostPort ?? [])).toEqual(hostPorts);
      }),
    );
  });

  it('has brackets around an IPv6 address', () => {
    expect(addressText({ host: 'fd00::7', port: 80 })).toBe('[fd00::7]:80');
    expect(addressText({ host: 'h1', port: 80 })).toBe('h1:80');
  });
});

describe('a check', () => {
  const http = (more: Record<string, unknown> = {}) => ({
    healthChecks: [{ protocol: 'HTTP', ...more }],
    readinessChecks: [{ portName: 'web' }],
  });
  const probed = (...args: Parameters<typeof app>) =>
    probesOf(app(...args), TASK).map(({ host, check }) => `${host}:${check.http?.port}`);

  it('of the scheduler is made where the port is reached', () => {
    expect(probed('user', MIXED, http())).toEqual(['10.0.0.7:80', '10.0.0.7:80']);
    expect(probed('user', MIXED, http({ portIndex: 1 }))).toEqual(['h1:31000', '10.0.0.7:80']);
    expect(probed('user', MIXED, http({ port: 9 }))).toEqual(['10.0.0.7:9', '10.0.0.7:80']);
    expect(probed('bridge', [{ containerPort: 80, name: 'web' }], http())).toEqual(['h1:31000', 'h1:31000']);
    expect(probed('bridge', [{ containerPort: 80, name: 'web' }], http({ port: 9 }))).toEqual([
      'h1:9',
      'h1:31000',
    ]);
    expect(needsAddress(app('user', MIXED, http()))).toBe(true);
    expect(needsAddress(app('user', [{ ...MIXED[1], name: 'web' }], http()))).toBe(false);
    expect(needsAddress(app('bridge', [{ containerPort: 80, name: 'web' }], http()))).toBe(false);
    expect(probesOf(app('user', MIXED, http()), { ...TASK, addresses: [] })[0]?.host).toBeUndefined();
  });

  it('of an executor names the published port, or in the network of the container the port there', () => {
    const port = (portIndex: number, inContainer: boolean) =>
      agentCheck(
        app('user', MIXED, { healthChecks: [{ protocol: 'MESOS_TCP', portIndex }] }),
        TASK,
        inContainer,
      )?.tcp?.port;
    expect([0, 1, 2, 3].map((i) => port(i, false))).toEqual([80, 31_000, 10_002, 31_001]);
    expect([0, 1, 2, 3].map((i) => port(i, true))).toEqual([80, 81, 10_002, 31_001]);
  });
});
