/** A cluster of one master grows to five and shrinks to three, under load. Runs in the soak: it takes ten minutes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { until } from '../demo-cluster.ts';
import { runExample } from '../support/cluster-example.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';
import { underLoad } from '../support/redis-load.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) > 1;
const MEMBER = ['--role', 'zookeeper,master,scheduler,agent'];

describe.runIf(isSoak)('1 → 3 → 5 → 3 members', () => {
  let lab: Lab;
  let cluster: LabCluster;
  beforeAll(async () => {
    lab = await startLab({ hosts: Array.from({ length: 5 }, () => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    await cluster.writeSpec({ hosts: ['h1'] });
    expectDone(await cluster.run('install', '--start', '--yes'));
    const h1 = lab.host('h1');
    const image = await ensureRedisImage();
    await loadImage(h1, image);
    const app = {
      id: '/pings',
      instances: 3,
      cpus: 0.05,
      mem: 16,
      container: { docker: { image, network: 'BRIDGE' }, portMappings: [{ containerPort: 6379 }] },
    };
    const created = await cluster.api(h1, '/v2/apps', { method: 'POST', body: JSON.stringify(app) });
    expect(created.status, await created.text()).toBe(201);
    await until('three instances run', async () => (await places()).length === 3, 120_000);
  });
  afterAll(() => lab?.stop());

  const places = () => cluster.endpoints(lab.host('h1'), 'pings');
  const quorum = (name: string) => lab.host(name).run('cat /etc/mesos-master/quorum');

  test.each([
    ['add', 'h2', '2'],
    ['add', 'h3', '2'],
    ['add', 'h4', '3'],
    ['add', 'h5', '3'],
    ['remove', 'h5', '3'],
    ['remove', 'h4', '2'],
  ])('node %s %s fails no request and restarts no container', async (verb, name, wanted) => {
    const h1 = lab.host('h1');
    const containers = () => h1.run('docker ps -q --filter label=mesosup.task');
    const before = await containers();
    const load = await underLoad(cluster, [h1], 'pings', async () => {
      const done = await cluster.run('node', verb, name, ...(verb === 'add' ? MEMBER : []), '--yes');
      expectDone(done);
      console.log(done.stdout.split('\n').filter((line) => /led for|changes on/.test(line)));
    });
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(50);
    expect(await containers()).toBe(before);
    expect(await quorum('h1')).toBe(wanted);
    expect(await cluster.planned()).toEqual({});
    expect((await cluster.healthy()).problems).toEqual([]);
  });

  test('the example of 2013 runs at the end', async () => {
    await runExample(cluster, lab.host('h1'));
  });
});
