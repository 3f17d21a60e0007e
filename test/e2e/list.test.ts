/** `mesosup list` with clusters that do not answer. `examples.test.ts` shows a running demo with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterState } from '../../src/cluster/edge/cluster-state.ts';
import { Contexts } from '../../src/context/edge/contexts.ts';
import { clusterOf, hostOf } from '../install/hosts.ts';
import { root } from './demo-cluster.ts';

let home: string;
/** Accepts connections and never answers. */
const silent = createServer(() => {});
let silentUrl: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mesosup-list-'));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(async () => {
  silent.closeAllConnections();
  silent.close();
  await rm(home, { recursive: true });
});

const mesosup = (...args: string[]) =>
  execa(path.join(root, 'bin/mesosup'), args, {
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', HOME: home, XDG_STATE_HOME: path.join(home, 'state') },
  });

test('lists installed and added clusters with the reason why they do not answer, and waits for none', async () => {
  const hosts = ['h1', 'h2'].map((name) =>
    hostOf(name, { privateAddress: '127.0.0.1', roles: ['master', 'scheduler', 'agent'] }),
  );
  // Port 1 has no server.
  const ports = { master: 5050, agent: 5051, scheduler: 1, zookeeper: 2181 };
  await new ClusterState(path.join(home, 'state/mesosup/prod')).keepCluster(
    clusterOf(hosts, { name: 'prod', ports }),
    { schedulers: ['http://127.0.0.1:1'], masters: [] },
  );
  const environment = { XDG_CONFIG_HOME: undefined, XDG_STATE_HOME: path.join(home, 'state') };
  await new Contexts({ environment, home }).add({ name: 'mute', urls: [silentUrl] });
  const { exitCode, stdout, stderr } = await mesosup('list');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  process.stdout.write(`${stdout}\n`);
  expect(stdout).toMatch(/^mute +added +http:\/\/127\.0\.0\.1:\d+ +does not answer: no answer in 2 s$/m);
  expect(stdout).toMatch(/^prod +installed +2 +http:\/\/127\.0\.0\.1:1 +does not answer: \S/m);

  const json = await mesosup('list', '--json');
  const { clusters } = JSON.parse(json.stdout) as { clusters: { name: string }[] };
  expect(clusters.filter(({ name }) => name !== 'demo')).toMatchObject([
    { name: 'mute', source: 'added', answers: false, problem: 'no answer in 2 s' },
    { name: 'prod', source: 'installed', hosts: ['h1', 'h2'], answers: false },
  ]);
  expect(json.stdout).not.toContain('password');
});
