/**
 * Effects of apt are known before it runs, on hosts with packages, pins and holds of their owners. The owner's
 * containerd.io is a small package with the relations of the real one.
 */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/hosts/host.ts';
import { withAptChanges } from '../../../src/install/apt-changes.ts';
import { simulate } from '../../../src/install/edge/simulate-apt.ts';
import type { Plan, Problem } from '../../../src/install/plan.ts';
import { uninstallItems } from '../../../src/install/uninstall.ts';
import { scripts } from '../../install/hosts.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MESOS_PACKAGES } from '../../lab/preinstalled.ts';
import { expectDone, LabCluster, type Outcome } from '../support/lab-cluster.ts';
import { apply, failureOf, openHosts, probe, wants } from '../support/plans.ts';

const INSTALL_MS = 600_000;
/** Packages that Mesos and the payload need, so that little is downloaded. */
const NAMES = ['rival', 'pinned', 'held', 'suite'] as const;
let lab: Lab;
const clusters = new Map<string, LabCluster>();

beforeAll(async () => {
  lab = await startLab({ hosts: NAMES.map((name) => ({ name, packages: MESOS_PACKAGES })) });
  for (const name of NAMES) {
    const cluster = new LabCluster(lab, name);
    cluster.flags = ['--hosts', name];
    await cluster.writeSpec();
    clusters.set(name, cluster);
  }
}, INSTALL_MS);

afterAll(() => lab?.stop());

function of(name: (typeof NAMES)[number]): { cluster: LabCluster; host: LabHost } {
  const cluster = clusters.get(name);
  if (!cluster) throw new Error(`there is no cluster on ${name}`);
  return { cluster, host: lab.host(name) };
}

/** Runs the work with a connection to the host like the installer's. */
async function withTarget(
  name: (typeof NAMES)[number],
  work: (target: Host) => Promise<void>,
): Promise<void> {
  const hosts = openHosts(lab);
  try {
    await work(hosts.open({ name, address: name, connection: { kind: 'ssh' } }));
  } finally {
    await hosts.close();
  }
}

/** Installs a package that contains only its control fields. */
async function give(host: LabHost, fields: Record<string, string>): Promise<void> {
  const control = {
    Architecture: 'all',
    Maintainer: 'Owner <owner@localhost>',
    Description: 'empty',
    ...fields,
  };
  const text = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`);
  await host.run(
    'd=$(mktemp -d); mkdir "$d/DEBIAN"; cat >"$d/DEBIAN/control"; dpkg-deb -b "$d" /root/given.deb; dpkg -i /root/given.deb',
    { input: text.join('') },
  );
}

const CONTAINERD = {
  Package: 'containerd.io',
  Version: '1.6.20-1',
  Provides: 'containerd, runc',
  Conflicts: 'containerd, runc',
  Replaces: 'containerd, runc',
};

function statusOf(host: LabHost, name: string): Promise<string> {
  return host.run(`dpkg-query -W -f '\${Status} \${Version}' ${name} 2>/dev/null || :`);
}

function expectFailed({ code, all }: Outcome): void {
  expect(code, all).toBe(1);
}

describe('a package of the owner that conflicts with Docker', () => {
  beforeAll(() => give(of('rival').host, CONTAINERD));

  test('makes mesosup refuse the install with the cause and the remedy, and stays unchanged', async () => {
    const { cluster, host } = of('rival');
    const failed = await cluster.run('install', '--start', '--yes');
    expectFailed(failed);
    expect(failed.all).toMatch(
      /apt would remove containerd\.io 1\.6\.20-1, because it conflicts with (runc|containerd), which docker\.io needs/,
    );
    expect(failed.all).toContain('--allow-remove containerd.io');
    expect(failed.all).toContain('Nothing was changed');
    expect(await statusOf(host, 'containerd.io')).toBe('install ok installed 1.6.20-1');
    expect(
      await host.run('ls -d /var/lib/mesosup /etc/apt/sources.list.d/* /var/tmp/mesosup* 2>/dev/null; :'),
    ).toBe('');
  });

  test('is an item of the plan if its removal is allowed by name', async () => {
    const { cluster } = of('rival');
    const { code, stdout, all } = await cluster.run('plan', '--json', '--allow-remove', 'containerd.io');
    expect(code, all).toBe(3);
    const { plan, problems } = JSON.parse(stdout) as { plan: Plan; problems: Problem[] };
    expect(problems).toEqual([]);
    const items = plan.hosts.flatMap((one) => one.items);
    const at = items.findIndex(({ id }) => id === 'package:containerd.io');
    expect(items[at]).toMatchObject({
      action: 'remove',
      title: 'package containerd.io: remove 1.6.20-1',
      byApt: true,
    });
    expect(items[at + 1]).toMatchObject({ id: 'package:docker.io', action: 'install' });
    expect(items[at + 1]?.diff.join('\n')).toMatch(/also installs .*containerd/);
  });

  test('stops an apply whose plan does not name it before dpkg starts', async () => {
    const { host } = of('rival');
    await withTarget('rival', async (target) => {
      const items = ['libatomic1', 'docker.io'].map((name) => wants('install', { kind: 'package', name }));
      const refused = failureOf(await apply(target, items));
      expect(refused).toMatchObject({ failure: 'removal' });
      expect(refused.message).toMatch(
        /^apt would remove containerd\.io 1\.6\.20-1 for libatomic1, docker\.io/,
      );
      expect(refused.remedy).toContain('--allow-remove containerd.io');
      expect(await statusOf(host, 'containerd.io')).toBe('install ok installed 1.6.20-1');
      expect(await statusOf(host, 'docker.io')).not.toContain('ok installed');
      expect((await probe(target)).mesosup.journal).toEqual([]);
      await host.run('rm -rf /var/lib/mesosup');
    });
  });

  test(
    'is removed by a saved plan with the permission, and uninstall reports that it was not restored',
    async () => {
      const { cluster, host } = of('rival');
      const file = path.join(cluster.directory, 'plan.json');
      expect((await cluster.run('plan', '--out', file, '--allow-remove', 'containerd.io')).code).toBe(3);
      expectDone(await cluster.startPlan(file));
      expect(await statusOf(host, 'containerd.io')).not.toContain('ok installed');
      expect(await statusOf(host, 'docker.io')).toContain('install ok installed');
      const again = await cluster.run('install', '--yes');
      expectDone(again);
      expect(again.stdout).toMatch(/^no changes/m);
      const gone = await cluster.run('uninstall', '--yes', '--purge');
      expectDone(gone);
      expect(gone.stdout).toContain('package containerd.io: install 1.6.20-1 again, as before mesosup');
      expect(gone.stdout).toContain(
        'rival: not restored, because no repository on the host has it: containerd.io 1.6.20-1',
      );
      expect(await statusOf(host, 'docker.io')).not.toContain('ok installed');
    },
    INSTALL_MS,
  );

  test('is restored by an uninstall if a repository has it, and is removed only by name', async () => {
    const { host } = of('rival');
    await give(host, CONTAINERD);
    await host.run(`mkdir /srv/own; mv /root/given.deb /srv/own/c.deb; cd /srv/own
      { dpkg-deb -f c.deb; echo 'Filename: ./c.deb'; stat -c 'Size: %s' c.deb; sha256sum c.deb | sed 's/ .*//;s/^/SHA256: /'; } >Packages
      echo 'deb [trusted=yes] file:/srv/own ./' >/etc/apt/sources.list.d/own.list; apt-get -qq update`);
    await withTarget('rival', async (target) => {
      const apt = await simulate(target, scripts, { packages: [{ name: 'docker.io' }], sources: [] });
      const items = withAptChanges([wants('install', { kind: 'package', name: 'docker.io' })], apt);
      expect(items.map(({ id, action }) => `${action} ${id}`)).toEqual([
        'remove package:containerd.io',
        'install package:docker.io',
      ]);
      expect((await apply(target, items)).outcome).toEqual({ ok: true });
      expect(await statusOf(host, 'containerd.io')).not.toContain('ok installed');
      const facts = await probe(target);
      // The package's own dockerd is not reported.
      expect(facts.otherDockers).toEqual([]);
      const { journal } = facts.mesosup;
      const back = await apply(target, uninstallItems(facts, false, []), { command: 'uninstall', journal });
      expect(back.outcome).toEqual({ ok: true });
      expect(back.events.filter(({ event }) => event === 'unrestored')).toEqual([]);
      expect(await statusOf(host, 'containerd.io')).toBe('install ok installed 1.6.20-1');
      expect(await statusOf(host, 'docker.io')).not.toContain('ok installed');
    });
  });
});

test('reports a pin on a library with its file and remedy, before any change', async () => {
  const { cluster, host } = of('pinned');
  await host.run(
    "printf 'Package: libatomic1\\nPin: release *\\nPin-Priority: -1\\n' >/etc/apt/preferences.d/no-atomic",
  );
  const failed = await cluster.run('install', '--yes');
  expectFailed(failed);
  expect(failed.all).toContain(
    'pinned: apt has no candidate for libatomic1: /etc/apt/preferences.d/no-atomic pins it to priority -1',
  );
  expect(failed.all).toContain('Remove the pin of libatomic1 from /etc/apt/preferences.d/no-atomic');
  expect(await host.run('ls -d /var/lib/mesosup /var/tmp/mesosup* 2>/dev/null; :')).toBe('');
});

test('reports a hold on an older dependency with its version; an apply reports the package that apt names', async () => {
  const { cluster, host } = of('held');
  await give(host, { Package: 'runc', Version: '0.9' });
  await host.run('apt-mark hold runc');
  const failed = await cluster.run('plan');
  expectFailed(failed);
  expect(failed.all).toMatch(
    /held: apt can't install docker\.io: .*runc .*; runc is held at 0\.9\n.*apt-mark unhold runc/,
  );
  await withTarget('held', async (target) => {
    const items = ['libatomic1', 'docker.io'].map((name) => wants('install', { kind: 'package', name }));
    expect(failureOf(await apply(target, items))).toMatchObject({
      item: 1,
      message: expect.stringMatching(/^docker\.io: /),
    });
  });
});

test('a probe finds Docker in forms that apt does not know, with its path', async () => {
  await of('pinned').host.run(`mkdir -p /snap/bin /opt/docker-desktop /home/u/.config/systemd/user
    for p in /snap/bin/docker /usr/local/bin/dockerd /home/u/.config/systemd/user/docker.service; do : >$p; chmod +x $p; done
    cp /bin/sleep /usr/local/bin/rootlesskit
    systemd-run --unit=rootless /usr/bin/env -i /bin/bash -c 'exec -a "rootlesskit dockerd-rootless.sh" /usr/local/bin/rootlesskit 1000'
    systemd-run --unit=others /usr/local/bin/rootlesskit 1000`);
  await withTarget('pinned', async (target) => {
    const { otherDockers } = await probe(target);
    expect(otherDockers).toEqual([
      { form: 'snap', path: '/snap/bin/docker' },
      { form: 'static', path: '/usr/local/bin/dockerd' },
      { form: 'desktop', path: '/opt/docker-desktop' },
      { form: 'rootless', path: '/home/u/.config/systemd/user/docker.service' },
      { form: 'rootless', path: expect.stringMatching(/^\/proc\/\d+$/) },
    ]);
  });
});

describe('your own repository', () => {
  test('that lacks the suite is reported with its URL', async () => {
    const { cluster } = of('suite');
    const { good } = lab.mesos();
    await cluster.writeSpec({}, { ...good, debian: good.debian.replace('{codename}', 'duke') });
    const failed = await cluster.run('plan');
    expectFailed(failed);
    expect(failed.all).toMatch(
      /suite: the repository http:\/\/\S+\/mesos\/good\/Debian\/? has no suite duke/,
    );
    expect(failed.all).not.toContain('aventer-mesos');
  });

  test('is used on a Debian for which the project has no packages', async () => {
    const { cluster, host } = of('suite');
    await cluster.writeSpec();
    await host.run('sed -i \'s/^VERSION_ID=.*/VERSION_ID="13"/\' /usr/lib/os-release');
    const planned = await cluster.run('plan', '--brief');
    expect(planned.all).not.toContain('has no Mesos package for');
    expect(planned.all).not.toContain('has no suite');
  });

  test('that is unreachable is a warning of the plan', async () => {
    const { host } = of('suite');
    const look =
      'ls -lR --time-style=full-iso /etc/apt /var/lib/apt /var/cache/apt; ls /var/tmp | grep mesosup; :';
    const before = await host.run(look);
    await withTarget('suite', async (target) => {
      const content = 'deb http://nosuch.invalid/debian bookworm main\n';
      const apt = await simulate(target, scripts, {
        packages: [{ name: 'aventer-mesos' }, { name: 'libatomic1' }],
        sources: [{ path: '/etc/apt/sources.list.d/x.list', content }],
      });
      expect(apt.unreachable).toEqual([expect.stringContaining("Could not resolve 'nosuch.invalid'")]);
      expect(apt.obstacles).toEqual([{ kind: 'absent', name: 'aventer-mesos' }]);
      expect(await host.run(look)).toBe(before);
    });
  });
});
