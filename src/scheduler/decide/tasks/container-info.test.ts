/** Tasks for Mesos' own containerizers, as Marathon made them. */

import { describe, expect, it } from 'vitest';
import { appV2, changed, DOCKER, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import type { TaskInfo } from '../../../mesos/types.ts';
import type { Containerizer } from '../../domain/containerizer-name.ts';
import type { Settings } from '../../domain/settings.ts';

const LABEL = 'MESOSUP_CONTAINERIZER';

function launched(fields: Record<string, unknown>, more: Partial<Settings> = {}): TaskInfo {
  const harness = new Harness(AGENTS, more);
  const reply = harness.input(start(appV2({ cmd: undefined, ...fields })));
  if (reply?.type !== 'deployed') throw new Error(JSON.stringify(reply));
  harness.rest();
  const [simulated] = harness.mesos.tasks.values();
  if (!simulated) throw new Error('nothing was launched');
  return simulated.info;
}

const onDocker = (fields: Record<string, unknown>) => launched(fields, { containerizer: 'docker' });

const labelOf = ({ task_id }: TaskInfo) => ({ key: 'label', value: `MESOS_TASK_ID=${task_id.value}` });

describe('a task for Mesos’ Docker containerizer', () => {
  it('has image, mapped ports, volumes, parameters and the words of the command', () => {
    const info = onDocker({
      args: ['--port', '80'],
      env: { A: 'b' },
      fetch: [{ uri: 'http://u/x.tgz' }],
      container: {
        type: 'DOCKER',
        docker: {
          image: 'org/web:1',
          forcePullImage: true,
          privileged: true,
          parameters: [{ key: 'hostname', value: 'h x' }],
        },
        volumes: [{ hostPath: '/h', containerPath: '/c', mode: 'RO' }],
        portMappings: [{ containerPort: 80 }, { containerPort: 0, protocol: 'udp,tcp' }],
      },
    });
    const [http = 0, free = 0] = info.resources.flatMap(({ ranges }) =>
      (ranges?.range ?? []).flatMap(({ begin, end }) =>
        Array.from({ length: end - begin + 1 }, (_, i) => begin + i),
      ),
    );
    expect(info.container).toEqual({
      type: 'DOCKER',
      volumes: [{ mode: 'RO', container_path: '/c', host_path: '/h' }],
      docker: {
        image: 'org/web:1',
        network: 'BRIDGE',
        port_mappings: [
          { host_port: http, container_port: 80, protocol: 'tcp' },
          { host_port: free, container_port: free, protocol: 'udp' },
          { host_port: free, container_port: free, protocol: 'tcp' },
        ],
        privileged: true,
        parameters: [{ key: 'hostname', value: 'h x' }, labelOf(info)],
        force_pull_image: true,
      },
    });
    expect(info.command).toMatchObject({
      shell: false,
      arguments: ['--port', '80'],
      uris: [{ value: 'http://u/x.tgz', extract: true, executable: false }],
    });
    expect(info.command).not.toHaveProperty('value');
    expect(info.command?.environment?.variables).toContainEqual({ name: 'PORT_80', value: String(http) });
    expect(info.command?.environment?.variables).toContainEqual({ name: 'A', value: 'b' });
    expect(info).not.toHaveProperty('executor');
    expect(info).not.toHaveProperty('data');
  });

  it('runs cmd in a shell, and the entry point of the image without cmd and args', () => {
    const container = { type: 'DOCKER', docker: { image: 'i' } };
    expect(onDocker({ container, cmd: 'a && b' }).command).toMatchObject({ value: 'a && b', shell: true });
    const { command } = onDocker({ container });
    expect(command?.shell).toBe(false);
    expect(command).not.toHaveProperty('arguments');
  });

  it.each([
    [{}, { network: 'HOST' }, undefined],
    [{ networks: [{ mode: 'container/bridge' }] }, { network: 'BRIDGE' }, undefined],
    [{ networks: [{ mode: 'container', name: 'blue' }] }, { network: 'USER' }, [{ name: 'blue' }]],
  ])('joins one network: %j', (fields, docker, network_infos) => {
    const made = { type: 'DOCKER', docker: { image: 'i' }, portMappings: [] };
    const { container } = onDocker({ ...fields, container: made });
    expect(container).toMatchObject({ docker });
    expect(container?.network_infos).toEqual(network_infos);
    expect(container?.docker).not.toHaveProperty('port_mappings');
  });
});

describe('a task for the Mesos containerizer', () => {
  it('has an image and no container of Docker', () => {
    const info = launched({
      cmd: 'serve',
      user: 'somebody',
      container: {
        type: 'MESOS',
        docker: { image: 'org/web:1' },
        volumes: [{ hostPath: '/h', containerPath: 'data' }],
      },
    });
    expect(info.container).toEqual({
      type: 'MESOS',
      volumes: [{ mode: 'RW', container_path: 'data', host_path: '/h' }],
      mesos: { image: { type: 'DOCKER', docker: { name: 'org/web:1' }, cached: true } },
    });
    expect(info.command).toMatchObject({ value: 'serve', shell: true, user: 'somebody' });
  });

  it('joins networks of CNI, with mapped ports', () => {
    const mapped = (networks: unknown) =>
      launched(
        {
          networks,
          container: {
            type: 'MESOS',
            docker: { image: 'i', forcePullImage: true },
            portMappings: [{ containerPort: 80, hostPort: 0 }, { containerPort: 81 }],
          },
        },
        { mesosBridgeName: 'br' },
      ).container;
    const port = expect.any(Number);
    expect(mapped([{ mode: 'container', name: 'blue' }])).toMatchObject({
      network_infos: [
        {
          name: 'blue',
          ip_addresses: [{}],
          port_mappings: [{ host_port: port, container_port: 80, protocol: 'tcp' }],
        },
      ],
      mesos: { image: { cached: false } },
    });
    const several = {
      networks: [
        { mode: 'container', name: 'blue' },
        { mode: 'container', name: 'red' },
      ],
      container: { type: 'MESOS', docker: { image: 'i' }, portMappings: [{ containerPort: 80 }] },
    };
    expect(launched(several).container?.network_infos).toEqual([
      { name: 'blue', ip_addresses: [{}] },
      { name: 'red', ip_addresses: [{}] },
    ]);
    expect(mapped([{ mode: 'container/bridge' }])?.network_infos).toEqual([
      {
        name: 'br',
        ip_addresses: [{}],
        port_mappings: [
          { host_port: port, container_port: 80, protocol: 'tcp' },
          { host_port: port, container_port: 81, protocol: 'tcp' },
        ],
      },
    ]);
  });
});

describe('a check on the agent', () => {
  const healthChecks = [{ protocol: 'MESOS_HTTP', portIndex: 1, path: '/x' }];

  it('uses the port of the container where Mesos makes it', () => {
    const container = {
      type: 'MESOS',
      docker: { image: 'i' },
      portMappings: [{ containerPort: 79 }, { containerPort: 80 }],
    };
    expect(launched({ container, healthChecks }).health_check?.http).toMatchObject({ port: 80, path: '/x' });
    const labels = { [LABEL]: 'executor' };
    expect(launched({ container, healthChecks, labels }).health_check?.http?.port).toBeGreaterThan(30_000);
  });

  it('uses the offered port for a container port of 0, also after a port that is not mapped', () => {
    const info = launched({
      networks: [{ mode: 'container', name: 'blue' }],
      container: {
        type: 'MESOS',
        docker: { image: 'i' },
        portMappings: [{ containerPort: 79 }, { containerPort: 0, hostPort: 0 }],
      },
      healthChecks,
    });
    const [mapping] = info.container?.network_infos?.[0]?.port_mappings ?? [];
    expect(info.health_check?.http?.port).toBe(mapping?.host_port);
    expect(mapping?.host_port).toBeGreaterThan(30_000);
  });

  it('uses the port of the host in the network of the host', () => {
    const info = onDocker({
      container: { type: 'DOCKER', docker: { image: 'i' } },
      portDefinitions: [{}, {}],
      healthChecks,
    });
    expect(info.health_check?.http?.port).toBeGreaterThan(30_000);
  });
});

const KINDS = new Map([
  ['DOCKER', 'docker'],
  ['MESOS', 'mesos'],
]);

function kindOf(info: TaskInfo): string {
  return KINDS.get(info.container?.type ?? '') ?? (info.executor ? 'executor' : 'command');
}

describe('a command in a container without an image', () => {
  const volumes = [{ containerPath: 'data', hostPath: '/usr/share', mode: 'RO' }];

  it('has its volumes in the agent’s file system', () => {
    const info = launched({ cmd: 'ls data', container: { type: 'MESOS', volumes } });
    expect(info.container).toEqual({
      type: 'MESOS',
      volumes: [{ container_path: 'data', host_path: '/usr/share', mode: 'RO' }],
      mesos: {},
    });
    expect(info.command).toMatchObject({ value: 'ls data', shell: true });
    const { command } = launched({ args: ['/bin/ls', 'a b'], container: { type: 'MESOS', volumes } });
    expect(command).toMatchObject({ value: '/bin/ls', shell: false, arguments: ['/bin/ls', 'a b'] });
  });

  it('joins its networks, with one port mapping', () => {
    const networks = [{ mode: 'container/bridge' }];
    const { container } = launched({ cmd: 'x', networks, container: { type: 'MESOS' } });
    const port_mappings = [{ host_port: 31_000, container_port: 31_000, protocol: 'tcp' }];
    const network_infos = [{ ip_addresses: [{}], name: 'mesos-bridge', port_mappings }];
    expect(container).toEqual({ type: 'MESOS', network_infos, mesos: {} });
    // Without `container` too, as in Marathon.
    expect(launched({ cmd: 'x', networks }).container).toEqual(container);
  });

  it('needs a command', () => {
    const reply = new Harness(AGENTS).input(start(appV2({ cmd: undefined, container: { volumes } })));
    expect(reply).toEqual({ type: 'invalid', errors: [{ path: ['cmd'], error: 'may not be empty' }] });
  });
});

describe('the containerizer', () => {
  const docker = { image: 'i' };
  it.each<[Record<string, unknown>, Containerizer, string]>([
    [{ container: { docker } }, 'executor', 'executor'],
    [{ container: { docker } }, 'docker', 'docker'],
    [{ container: { docker } }, 'mesos', 'mesos'],
    [{ container: { type: 'DOCKER', docker } }, 'mesos', 'mesos'],
    [{ container: { type: 'MESOS', docker } }, 'executor', 'mesos'],
    [{ container: { type: 'MESOS', docker } }, 'docker', 'mesos'],
    [{ container: { type: 'MESOS', docker }, labels: { [LABEL]: 'docker' } }, 'executor', 'docker'],
    [{ container: { docker }, labels: { [LABEL]: 'executor' } }, 'mesos', 'executor'],
    [{ container: { type: 'DOCKER', docker }, executor: '//cmd' }, 'executor', 'executor'],
    [{ container: { type: 'DOCKER', docker }, executor: '//cmd' }, 'docker', 'docker'],
    [{ container: { type: 'MESOS', docker }, executor: '//cmd' }, 'executor', 'mesos'],
    [{ container: { type: 'DOCKER', docker }, executor: DOCKER }, 'docker', 'executor'],
    [{ container: { type: 'MESOS', docker }, executor: DOCKER }, 'docker', 'executor'],
    [{ container: { type: 'MESOS' }, cmd: 'x' }, 'docker', 'command'],
    [{ cmd: 'x' }, 'mesos', 'command'],
    [{ cmd: 'redis', executor: DOCKER }, 'docker', 'executor'],
  ])('of %j is chosen, with --containerizer %s: %s', (fields, containerizer, kind) => {
    expect(kindOf(launched(fields, { containerizer }))).toBe(kind);
  });

  const appOf = (harness: Harness) => harness.state.apps.get('/sleeper')?.app;
  const MESOS = { type: 'MESOS', docker };

  it('stays the same until a field changes on which it depends', () => {
    const harness = new Harness(AGENTS, { containerizer: 'docker' });
    const created = start(appV2({ container: { docker } }));
    harness.input(created);
    expect(appOf(harness)?.containerizer).toBe('docker');
    harness.restart();
    expect(appOf(harness)?.containerizer).toBe('docker');
    Object.assign(harness.state.settings, { containerizer: 'mesos' });
    harness.input(update('/sleeper', { cmd: 'other', container: { docker: { image: 'j' } } }, true));
    expect(appOf(harness)?.containerizer).toBe('docker');
    harness.input(update('/sleeper', { labels: { [LABEL]: 'executor' } }, true));
    expect(appOf(harness)).not.toHaveProperty('containerizer');
    harness.input(update('/sleeper', { labels: {}, cmd: 'third' }, true));
    // Not as before: the preset is another one by now.
    expect(appOf(harness)?.containerizer).toBe('mesos');
    harness.input(update('/sleeper', { container: { docker }, labels: { [LABEL]: 'executor' } }, true));
    // A definition as before has the form that it had.
    harness.input(
      update('/sleeper', { labels: {}, container: { docker: { image: 'j' } }, cmd: 'other' }, true),
    );
    expect(appOf(harness)?.containerizer).toBe('docker');
  });

  it('is the executor for apps of earlier releases, and returns with an earlier version', () => {
    const harness = new Harness(AGENTS);
    // As stored by a release that ran every image in the executor.
    const old = { ...appV2({ container: MESOS }), version: new Date(1).toISOString() };
    harness.input(start(old));
    const record = harness.state.apps.get('/sleeper');
    if (!record) throw new Error('no app');
    const { containerizer: _, ...stored } = record.app;
    Object.assign(record, { app: stored, versions: [stored] });
    harness.input(update('/sleeper', { cmd: 'other' }, true));
    expect(appOf(harness)).not.toHaveProperty('containerizer');
    harness.input(update('/sleeper', { labels: { [LABEL]: 'mesos' } }, true));
    expect(appOf(harness)?.containerizer).toBe('mesos');
    harness.input(changed([{ op: 'revert', appId: '/sleeper', version: stored.version }]));
    expect(appOf(harness)).not.toHaveProperty('containerizer');
    expect(appOf(harness)?.configVersion).toBe(stored.configVersion);
  });

  it('returns when a deployment that changed it is rolled back', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ container: MESOS })));
    harness.input(update('/sleeper', { labels: { [LABEL]: 'docker' } }, true));
    expect(appOf(harness)?.containerizer).toBe('docker');
    const [deploymentId = ''] = [...harness.state.deployments.keys()].slice(-1);
    harness.input(changed([{ op: 'roll_back', deploymentId }]));
    expect(appOf(harness)?.containerizer).toBe('mesos');
  });
});

it('a privileged container of the Mesos containerizer is listed as without effect', () => {
  const harness = new Harness(AGENTS);
  const container = { type: 'MESOS', docker: { image: 'i', privileged: true } };
  harness.input(start(appV2({ cmd: undefined, container })));
  const warnings = () => harness.state.apps.get('/sleeper')?.app.warnings;
  const error = 'has no effect with the Mesos containerizer, as in Marathon';
  expect(warnings()).toEqual([{ path: ['container', 'docker', 'privileged'], error }]);
  harness.input(update('/sleeper', { cpus: 0.2 }, true));
  expect(warnings()).toHaveLength(1);
  harness.input(update('/sleeper', { container: { type: 'MESOS', docker: { image: 'i' } } }, true));
  expect(warnings()).toBeUndefined();
});

describe('an app is refused if its containerizer would ignore', () => {
  const docker = { image: 'i' };
  const blue = { mode: 'container', name: 'blue' };
  const red = { mode: 'container', name: 'red' };
  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ container: { docker: { image: 'i', options: ['-v'] } } }, 'container.docker.options', /parameters/],
    [{ container: { docker }, user: 'u' }, 'user', /docker\.parameters/],
    [{ container: { docker }, networks: [blue, red] }, 'networks', /only one/],
    [{ container: { docker }, networks: [{ ...blue, aliases: ['a'] }] }, 'networks.0.aliases', /supported/],
    [{ container: { docker }, networks: [{ mode: 'container' }] }, 'networks.0.name', /empty/],
    [{ container: { docker: { image: '-v' } } }, 'container', /not an image name/],
    [{ container: { docker }, gpus: 1 }, 'gpus', /not supported by Mesos' Docker containerizer/],
    [
      { container: { type: 'MESOS', docker: { image: 'i', parameters: [{ key: 'a', value: 'b' }] } } },
      'container.docker.parameters',
      /MESOSUP_CONTAINERIZER: executor/,
    ],
    [
      {
        container: { type: 'MESOS', docker, portMappings: [{ containerPort: 1, hostPort: 0 }] },
        networks: [blue, red],
      },
      'container.portMappings.0.hostPort',
      /several networks/,
    ],
    [{ labels: { [LABEL]: 'podman' }, container: { docker } }, `labels.${LABEL}`, /one of executor, docker/],
    [{ labels: { [LABEL]: 'mesos' }, cmd: 'x' }, `labels.${LABEL}`, /no effect/],
    [
      { labels: { [LABEL]: 'mesos' }, container: { docker }, executor: '/x' },
      `labels.${LABEL}`,
      /remove one of them/,
    ],
  ])('a part of %j', (fields, path, error) => {
    const harness = new Harness(AGENTS, { containerizer: 'docker' });
    const reply = harness.input(start(appV2({ cmd: undefined, ...fields })));
    if (reply?.type !== 'invalid') throw new Error(JSON.stringify(reply));
    expect(reply.errors[0]?.path.join('.')).toBe(path);
    expect(reply.errors[0]?.error).toMatch(error);
  });
});
