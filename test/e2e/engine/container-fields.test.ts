/** The fields of a container from the API to Docker, on a closed agent and with a closed scheduler. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { type SchedulerCluster, startSchedulerCluster } from '../support/scheduler-cluster.ts';

const NETWORK = `mesosup-fields-${process.pid}`;
const allowedOn = (path: string) => ({
  allowedNetworks: ['bridge', NETWORK],
  allowedHostPaths: [{ path, readOnly: true }],
});

let cluster: SchedulerCluster;
let folder: string;

beforeAll(async () => {
  await makeTestImages();
  await execa('docker', ['network', 'create', NETWORK]);
  folder = await mkdtemp(path.join(tmpdir(), 'mesosup-policy-'));
  await writeFile(path.join(folder, 'policy.json'), '{"allowCommands": false}');
  const flags = { policy: path.join(folder, 'policy.json'), cluster: NETWORK };
  cluster = await startSchedulerCluster(flags);
  await writeFile(path.join(cluster.directory, 'executor.json'), JSON.stringify(allowedOn(folder)));
});

afterAll(async () => {
  await cluster?.stop();
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
  await rm(folder, { recursive: true, force: true });
});

async function post(app: Record<string, unknown>): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${cluster.url}/v2/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ cpus: 0.1, mem: 32, ...app }),
  });
  return { status: answer.status, text: await answer.text() };
}

interface Inspected {
  Config: { User: string; WorkingDir: string; Labels: Record<string, string> };
  HostConfig: Record<string, unknown>;
  Mounts: { Type: string; Source: string; Destination: string; RW: boolean }[];
  NetworkSettings: { Networks: Record<string, { Aliases: string[] }> };
}

async function containerOf(app: string): Promise<Inspected | undefined> {
  const filter = ['--filter', `label=mesosup.cluster=${NETWORK}`, '--filter', `label=app=${app}`];
  const { stdout } = await execa('docker', ['ps', '-q', ...filter]);
  if (stdout === '') return undefined;
  return (JSON.parse((await execa('docker', ['inspect', stdout])).stdout) as Inspected[])[0];
}

test('reach the container', async () => {
  const docker = {
    image: BUSYBOX,
    cpuQuota: true,
    init: false,
    shmSize: 2,
    ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
    tmpfs: [{ containerPath: '/t', size: 1 }],
    workdir: '/tmp',
    parameters: [{ key: 'cap-drop', value: 'ALL' }],
  };
  const created = await post({
    id: '/fields',
    cmd: 'sleep 600',
    user: '7:8',
    labels: { app: 'fields' },
    container: {
      type: 'DOCKER',
      docker,
      portMappings: [{ containerPort: 0, hostPort: 0, protocol: 'udp,tcp' }],
      volumes: [
        { hostPath: 'data', containerPath: '/data', mode: 'RO' },
        { hostPath: folder, containerPath: 'host', mode: 'RO' },
      ],
    },
    networks: [{ mode: 'container', name: NETWORK, aliases: ['one', 'two'] }],
  });
  expect(created).toMatchObject({ status: 201 });
  let found: Inspected | undefined;
  await until('the container runs', async () => {
    found = await containerOf('fields');
    return found !== undefined;
  });
  expect(found?.Config).toMatchObject({ User: '7:8', WorkingDir: '/tmp' });
  expect(found?.NetworkSettings.Networks[NETWORK]?.Aliases).toEqual(expect.arrayContaining(['one', 'two']));
  expect(found?.HostConfig).toMatchObject({
    NanoCpus: 1e8,
    Init: false,
    ShmSize: 2 * 1024 * 1024,
    Tmpfs: { '/t': 'size=1m' },
    Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
    CapDrop: ['ALL'],
    Binds: [`${folder}:/mnt/mesos/sandbox/host:ro`],
  });
  // The port of the container is that of the host, for both protocols.
  const ports = Object.keys((found?.HostConfig.PortBindings ?? {}) as object).sort();
  expect(ports).toEqual([expect.stringMatching(/^\d+\/tcp$/), expect.stringMatching(/^\d+\/udp$/)]);
  // A relative hostPath is in the sandbox, and no volume of Docker.
  expect(found?.Mounts).toContainEqual(
    expect.objectContaining({
      Type: 'bind',
      Source: expect.stringMatching(/\/tasks\/[^/]+\/sandbox\/data$/),
      Destination: '/data',
      RW: false,
    }),
  );
  expect(found?.Mounts.filter(({ Type }) => Type === 'volume')).toEqual([]);
});

test('are refused where the agent’s policy forbids them, with the reason in lastTaskFailure', async () => {
  await post({ id: '/host', cmd: 'true', container: { type: 'DOCKER', docker: { image: BUSYBOX } } });
  let message = '';
  await until('the task was refused', async () => {
    const { app } = (await (await fetch(`${cluster.url}/v2/apps/host`)).json()) as {
      app: { lastTaskFailure?: { message: string; state: string } };
    };
    message = app.lastTaskFailure?.message ?? '';
    return message !== '';
  });
  expect(message).toMatch(/may not use the network "host" \(allowedNetworks\): forbidden by .*executor.json/);
});

test('do not get round the scheduler’s policy', async () => {
  const image = { docker: { image: BUSYBOX } };
  for (const [app, field] of [
    [{ cmd: 'true' }, '/cmd'],
    [{ cmd: 'true', executor: '/bin/sh' }, '/executor'],
    [{ cmd: 'true', container: { type: 'MESOS', ...image } }, '/container'],
    [
      {
        cmd: 'true',
        labels: { MESOSUP_CONTAINERIZER: 'docker' },
        container: { type: 'DOCKER', ...image },
      },
      '/container',
    ],
    [{ container: { type: 'DOCKER', ...image }, fetch: [{ uri: 'file:///etc/shadow' }] }, '/fetch(0)/uri'],
  ] as const) {
    const { status, text } = await post({ id: '/x', ...app });
    expect({ status, text }).toMatchObject({ status: 422, text: expect.stringContaining('--policy') });
    expect(JSON.parse(text).details[0].path).toBe(field);
  }
});
