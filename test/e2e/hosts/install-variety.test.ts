/** Hosts with other connections, or with the os-release of another system: each a separate cluster. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/install/plan.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';

const INSTALL_MS = 600_000;
/** These tests are not about installing Docker. */
const packages = ['docker.io', 'iptables'];
const NAMES = ['inner', 'guarded', 'jammy'] as const;
let lab: Lab;
const clusters = new Map<string, LabCluster>();

beforeAll(async () => {
  lab = await startLab({
    hosts: [
      { name: 'bastion' },
      { name: 'inner', behind: 'bastion', packages },
      { name: 'guarded', login: 'sudo-password', packages },
      { name: 'jammy', system: 'ubuntu-22.04', packages },
      { name: 'bare', system: 'ubuntu-22.04' },
    ],
  });
  for (const name of NAMES) {
    const cluster = new LabCluster(lab, name);
    cluster.flags = ['--hosts', name];
    await cluster.writeSpec({ ssh: { user: lab.host(name).user } });
    clusters.set(name, cluster);
  }
}, INSTALL_MS);

afterAll(() => lab?.stop());

function of(name: string): { cluster: LabCluster; host: LabHost } {
  const cluster = clusters.get(name);
  if (!cluster) throw new Error(`there is no cluster on ${name}`);
  return { cluster, host: lab.host(name) };
}

/** The plan's lines for apt, and its packages. */
async function sources(cluster: LabCluster): Promise<{ lines: string[]; packages: string[] }> {
  const { code, stdout, all } = await cluster.run('plan', '--json');
  expect(code, all).toBe(3);
  const { plan } = JSON.parse(stdout) as { plan: Plan };
  const resources = plan.hosts.flatMap(({ items }) => items).flatMap(({ resource }) => resource ?? []);
  return {
    lines: resources.flatMap((one) =>
      one.kind === 'file' && one.aptSource
        ? one.content.split('\n').filter((line) => line.startsWith('deb '))
        : [],
    ),
    packages: resources.flatMap((one) => (one.kind === 'package' ? [one.name] : [])),
  };
}

describe('a plan', () => {
  test('of a host behind a bastion, and of one whose sudo asks for a password, is the same as of any other host', async () => {
    for (const name of ['inner', 'guarded']) {
      const { lines, packages: planned } = await sources(of(name).cluster);
      expect(lines).toEqual([expect.stringMatching(/ http:\/\/\S+\/Debian\/ bookworm main$/)]);
      expect(planned).toContain('aventer-mesos');
      expect(planned).not.toContain('zookeeper');
    }
  });

  test('of a host with the os-release of Ubuntu has the repositories of Ubuntu', async () => {
    const { lines } = await sources(of('jammy').cluster);
    expect(lines).toEqual([expect.stringMatching(/ http:\/\/\S+\/Ubuntu\/jammy jammy main$/)]);
    const other = new LabCluster(lab, 'bare');
    other.flags = ['--hosts', 'bare'];
    await other.writeSpec({ docker: { source: 'docker-ce' } });
    const { lines: both, packages: planned } = await sources(other);
    expect(both).toContainEqual(expect.stringMatching(/\/linux\/ubuntu jammy stable$/));
    expect(planned).toEqual(expect.arrayContaining(['docker-ce', 'docker-ce-cli', 'containerd.io']));
  });

  test('changes nothing', async () => {
    for (const { host } of NAMES.map(of)) {
      expect(
        (await host.run('ls -d /var/lib/mesosup /opt/mesosup /etc/mesosup 2>&1; true')).split('\n'),
      ).toEqual(
        ['/var/lib/mesosup', '/opt/mesosup', '/etc/mesosup'].map((path) =>
          expect.stringContaining(`'${path}': No such`),
        ),
      );
    }
  });
});

test(
  'install --start makes a healthy cluster of each',
  async () => {
    const began = performance.now();
    const done = await Promise.all(NAMES.map((name) => of(name).cluster.run('install', '--start', '--yes')));
    console.log(`install of ${NAMES.length} clusters: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    for (const one of done) expectDone(one);
    for (const name of NAMES) {
      const { cluster } = of(name);
      const { hosts, problems, healthy } = await cluster.healthy();
      expect({ problems, healthy, drift: hosts.map(({ drift }) => drift) }).toEqual({
        problems: [],
        healthy: true,
        drift: [0],
      });
    }
  },
  INSTALL_MS,
);

test('the host behind the bastion has no ZooKeeper, and the bastion has no files of mesosup', async () => {
  const { host } = of('inner');
  const units = await host.run(
    'systemctl is-active mesos-master mesos-agent mesosup-scheduler zookeeper; true',
  );
  expect(units.trim().split('\n')).toEqual(['active', 'active', 'active', 'inactive']);
  expect((await lab.host('bastion').run('ls /var/lib /opt /etc')).includes('mesos')).toBe(false);
});

test('the sudo password is not stored on the host, and its user may use Docker', async () => {
  const { host } = of('guarded');
  const password = host.sudoPassword ?? '';
  expect(password).not.toBe('');
  const files = await host.run(
    'grep -rlaF -f - --exclude-dir=docker /etc /var /opt /run /tmp /root /home 2>/dev/null; true',
    { input: `${password}\n` },
  );
  expect(files).toBe('');
  expect(await host.run('id -Gn ops')).toMatch(/\bdocker\b/);
});
