/** A new cluster of three hosts that has TLS from the beginning. Runs in the soak. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/edge/cluster-state.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { runExample } from '../support/cluster-example.ts';
import { expectDone, LabCluster, PORTS } from '../support/lab-cluster.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) >= 2;

describe.skipIf(!isSoak)('a new cluster with TLS', () => {
  let lab: Lab;
  let cluster: LabCluster;

  beforeAll(async () => {
    lab = await startLab({ hosts: Array.from({ length: 4 }, () => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    // Where the pass phrase of the CA is made.
    process.env.XDG_CONFIG_HOME = path.join(lab.directory, 'config');
    await mkdir(process.env.XDG_CONFIG_HOME, { recursive: true });
    await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] });
  });
  afterAll(() => lab?.stop());

  test('is installed, and runs the example of 2013', async () => {
    expectDone(await cluster.run('install', '--start', '--yes'));
    expect((await cluster.healthy()).problems).toEqual([]);
    expect((await new ClusterState(cluster.state).certificates())?.state).toBe('require');
    await runExample(cluster, lab.host('h2'));
  });

  test('a second install changes nothing', async () => {
    expect(await cluster.planned()).toEqual({});
  });

  test('no service takes plain text', async () => {
    const paths = { master: '/health', agent: '/health', scheduler: '/ping' };
    for (const host of lab.hosts.slice(0, 3)) {
      for (const [service, route] of Object.entries(paths)) {
        const url = `http://${host.address}:${PORTS[service as keyof typeof paths]}${route}`;
        const status = await fetch(url).then(
          (answer) => answer.status,
          () => 'no answer',
        );
        expect([url, status]).toEqual([url, expect.toBeOneOf([400, 'no answer'])]);
      }
    }
  });

  test('takes another host, which has TLS too', async () => {
    expectDone(await cluster.run('node', 'add', 'h4', '--role', 'agent', '--yes'));
    expect((await cluster.healthy()).problems).toEqual([]);
    expect(await cluster.planned()).toEqual({});
  });
});
