/**
 * A bundle for Debian 11, 12 and 13, and an installation from it on hosts that reach only each other and this machine.
 * Runs in the soak: it takes about ten minutes.
 */

import { copyFile, open, readFile, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleReport } from '../../../src/install/operations/make-bundle.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) > 1;
const LONG_MS = 900_000;
const HOSTS = [
  // Debian 11 has no haproxy for the load balancer.
  { name: 'd12', roles: ['master', 'scheduler', 'agent', 'lb'] },
  { name: 'd11', roles: ['agent'] },
  { name: 'd13', roles: ['agent'] },
];

describe.runIf(isSoak)('a cluster without a network', () => {
  let lab: Lab;
  let cluster: LabCluster;
  let bundle: string;

  beforeAll(async () => {
    lab = await startLab({
      hosts: [
        { name: 'd12', system: 'debian-12' },
        { name: 'd11', system: 'debian-11' },
        { name: 'd13', system: 'debian-13' },
      ],
    });
    cluster = new LabCluster(lab);
    bundle = path.join(lab.directory, 'bundle.tar');
    process.env.XDG_CACHE_HOME = path.join(lab.directory, 'cache');
    await makeTestImages();
    await cluster.writeSpec({ hosts: HOSTS });
  }, LONG_MS);
  afterAll(() => lab?.stop());

  /** Everything but this machine's mirror is unreachable already. */
  async function cut(host: LabHost): Promise<void> {
    // By number: the host has no /etc/protocols.
    await host.run(`ip rule add pref 1 ipproto 6 dport ${new URL(lab.mirrorUrl).port} prohibit`);
    expect((await host.run('apt-get update 2>&1; :')).toLowerCase()).toMatch(
      /failed to fetch|could not connect|cannot initiate the connection/,
    );
  }

  async function makeBundle(file: string, ...args: string[]): Promise<BundleReport> {
    const done = await cluster.run('bundle', '--out', file, '--image', BUSYBOX, '--json', ...args);
    expectDone(done);
    return JSON.parse(done.stdout) as BundleReport;
  }

  async function expectUntouched(): Promise<void> {
    for (const host of lab.hosts)
      expect(
        await host.run('ls -d /var/lib/mesosup /etc/mesosup /opt/mesosup /var/tmp/mesosup* 2>/dev/null; :'),
      ).toBe('');
  }

  test('an image that this machine lacks is named with its remedy', async () => {
    const refused = await cluster.run('bundle', '--out', bundle, '--image', 'nosuch:1');
    expect([refused.code, refused.all]).toEqual([2, expect.stringContaining('docker pull nosuch:1')]);
  });

  test(
    'the bundle has all packages of each system, and a second one fetches nothing',
    async () => {
      const made = await makeBundle(bundle);
      console.log(JSON.stringify(made), (await stat(bundle)).size);
      expect(Object.keys(made.systems).toSorted()).toEqual([
        'debian-11-amd64',
        'debian-12-amd64',
        'debian-13-amd64',
      ]);
      expect(made.fetchedBytes).toBeGreaterThan(1e7);
      expect(made.images).toEqual([BUSYBOX]);
      const before = await readFile(bundle);
      expect((await makeBundle(bundle)).fetchedBytes).toBe(0);
      expect((await readFile(bundle)).equals(before)).toBe(true);
      await expectUntouched();
    },
    LONG_MS,
  );

  test(
    'an incomplete, a damaged and a cut bundle are refused before any host is changed',
    async () => {
      await cluster.writeSpec({ hosts: HOSTS.slice(0, 1) });
      const some = path.join(lab.directory, 'some.tar');
      await makeBundle(some);
      await cluster.writeSpec({ hosts: HOSTS });
      for (const host of lab.hosts) await cut(host);
      const incomplete = await cluster.run('install', '--yes', '--bundle', some);
      expect(incomplete.code, incomplete.all).toBe(1);
      expect(incomplete.all).toContain('d11: the bundle has no packages for debian-11-amd64');
      expect(incomplete.all).toContain('Nothing was changed: the bundle is not complete');
      const damaged = path.join(lab.directory, 'damaged.tar');
      await copyFile(bundle, damaged);
      const file = await open(damaged, 'r+');
      await file.write('x', (await stat(damaged)).size - 5000);
      await file.close();
      const refused = await cluster.run('install', '--yes', '--bundle', damaged);
      expect([refused.code, refused.all]).toEqual([
        1,
        expect.stringMatching(/damaged\.tar is damaged: files\//),
      ]);
      await copyFile(bundle, damaged);
      await truncate(damaged, (await stat(damaged)).size / 2);
      const cutShort = await cluster.run('install', '--yes', '--bundle', damaged);
      expect([cutShort.code, cutShort.all]).toEqual([1, expect.stringContaining('its end is missing')]);
      await expectUntouched();
    },
    LONG_MS,
  );

  test(
    'the hosts are installed, changed, and one is added, from the bundle alone',
    async () => {
      await cluster.writeSpec({ hosts: HOSTS.slice(0, 1) });
      expectDone(await cluster.run('install', '--start', '--yes', '--bundle', bundle));
      expect((await cluster.healthy()).problems).toEqual([]);
      await cluster.writeSpec({ hosts: HOSTS.slice(0, 2) });
      expectDone(await cluster.run('install', '--start', '--yes', '--bundle', bundle));
      const agentFlags = { gc_delay: '2days' };
      await cluster.writeSpec({ hosts: HOSTS.slice(0, 2), agentFlags });
      expectDone(await cluster.run('install', '--yes', '--bundle', bundle));
      expect(await lab.host('d11').run('cat /etc/mesos-agent/gc_delay')).toBe('2days');
      expectDone(await cluster.run('node', 'add', 'd13', '--yes', '--bundle', bundle));
      expect((await cluster.healthy()).problems).toEqual([]);
      expect(await cluster.planned()).toEqual({});
      for (const host of lab.hosts) {
        expect(await host.run(`docker run --rm ${BUSYBOX} echo here`)).toBe('here');
        const left = 'ls -d /var/lib/mesosup/runs/*/files /opt/mesosup/.upload 2>/dev/null; :';
        expect(await host.run(left)).toBe('');
      }
    },
    LONG_MS,
  );
});
