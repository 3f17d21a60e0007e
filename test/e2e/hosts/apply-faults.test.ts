/** Faults while a plan is applied on a real host: each ends in a clear error, and the next run completes the work. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Hosts } from '../../../src/hosts/connect.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { acquireClusterLock, ClusterLockedError } from '../../../src/install/edge/cluster-lock.ts';
import { attachRun, RunBusyError, RunLostError } from '../../../src/install/edge/host-run.ts';
import { fetchKeys } from '../../../src/install/edge/keys.ts';
import type { PlanItem } from '../../../src/install/plan.ts';
import type { RunEvent } from '../../../src/install/run-events.ts';
import { scripts } from '../../install/hosts.ts';
import { fillDisk, holdDpkgLock, killConnections } from '../../lab/faults.ts';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import type { RepositoryLines } from '../../lab/mesos-repository.ts';
import { until } from '../demo-cluster.ts';
import {
  apply,
  failureOf,
  file,
  type OneHost,
  openHosts,
  probe,
  service,
  sha256,
  startOneHost,
  undo,
  unit,
  wants,
} from '../support/plans.ts';

let lab: Lab;
let one: OneHost;
let host: Host;
let shell: LabHost;

beforeAll(async () => {
  one = await startOneHost();
  ({ lab, host, shell } = one);
  await shell.run('apt-get -qq update');
});

afterAll(async () => {
  await one?.stop();
});

/** A package whose script waits for /run/NAME.go, so that a test can interrupt the run. */
async function slowItem(name: string): Promise<PlanItem> {
  const tree = path.join(lab.directory, name);
  await mkdir(path.join(tree, 'DEBIAN'), { recursive: true, mode: 0o755 });
  const control = [
    'Version: 1.0',
    'Architecture: all',
    'Maintainer: lab <lab@localhost>',
    'Description: slow',
  ];
  await writeFile(path.join(tree, 'DEBIAN/control'), [`Package: ${name}`, ...control, ''].join('\n'));
  const script = `#!/bin/sh\n: >/run/${name}.begun\nwhile [ ! -e /run/${name}.go ]; do sleep 0.1; done\n`;
  await writeFile(path.join(tree, 'DEBIAN/postinst'), script, { mode: 0o755 });
  const deb = `${tree}.deb`;
  await execa('dpkg-deb', ['--root-owner-group', '-b', tree, deb]);
  const digest = sha256(await readFile(deb));
  return wants('install', { kind: 'package', name, file: { upload: deb }, sha256: digest });
}

const begun = (name: string) =>
  until(`${name}'s script runs`, async () => (await shell.exec(`test -e /run/${name}.begun`)).code === 0);

describe('dpkg', () => {
  test('a run waits for its lock with the reason, and then continues', async () => {
    const lock = await holdDpkgLock(shell);
    const waits: string[] = [];
    const { outcome } = await apply(host, [wants('install', { kind: 'package', name: 'tcpdump' })], {
      onEvent: (event) => {
        if (event.event !== 'wait') return;
        waits.push(event.reason);
        void lock.release();
      },
    });
    expect(waits[0]).toBe(`the dpkg lock is held by unattended-upgr (${lock.pid})`);
    expect(outcome).toEqual({ ok: true });
    expect((await probe(host, { packages: ['tcpdump'] })).packages.tcpdump?.status).toBe(
      'install ok installed',
    );
  });

  test('a probe names the holder of its lock; a lock that is never released is an error', async () => {
    const lock = await holdDpkgLock(shell);
    const holder = `unattended-upgr (${lock.pid})`;
    expect((await probe(host)).dpkg.heldBy).toBe(holder);
    const applied = await apply(host, [wants('install', { kind: 'package', name: 'ed' })], {
      limits: { lock: 1 },
    });
    await lock.release();
    expect(failureOf(applied)).toMatchObject({ failure: 'dpkg-lock' });
    expect(failureOf(applied).message).toContain(holder);
  });

  test('a probe finds a run killed during dpkg, and the next run completes its work', async () => {
    const item = await slowItem('slow-one');
    const { promise: ran, resolve: onBegin } = Promise.withResolvers<string>();
    const applying = apply(host, [item, wants('create', file('/etc/after', 'x\n'))], {
      onEvent: (event) => {
        if (event.event === 'begin') onBegin(event.run);
      },
    });
    const lost = expect(applying).rejects.toThrow(RunLostError);
    const run = await ran;
    await begun('slow-one');
    await shell.run(`systemctl kill --kill-who=all -s KILL mesosup-${run}`);
    await lost;
    const facts = await probe(host, { packages: ['slow-one'], files: ['/etc/after'] });
    expect(facts.mesosup.run).toMatchObject({ id: run, command: 'install', alive: false });
    expect(facts.dpkg).toEqual({ heldBy: '', broken: expect.arrayContaining(['slow-one', 'policy-rc.d']) });
    expect(await shell.run('ls -A /var/lib/mesosup/runs/*/')).not.toMatch(/script|escape/);
    await shell.run('touch /run/slow-one.go');
    const { outcome } = await apply(host, [
      undo('repair', 'package:slow-one'),
      wants('create', file('/etc/after', 'x\n')),
    ]);
    expect(outcome).toEqual({ ok: true });
    const repaired = await probe(host, { packages: ['slow-one'] });
    expect(repaired.packages['slow-one']?.status).toBe('install ok installed');
    expect(repaired.dpkg.broken).toEqual([]);
    expect(repaired.mesosup.run).toBeNull();
  });
});

describe('a lost connection', () => {
  test('does not affect the run; mesosup connects again and misses no event', async () => {
    const item = await slowItem('slow-two');
    let started = 0;
    const applying = apply(host, [item, wants('create', file('/etc/after-two', 'x\n'))], {
      onEvent: (event) => {
        if (event.event === 'start') started += 1;
      },
    });
    // If the run ends too early, its result explains more than a timeout.
    const early = applying.then((over) => expect(over).toBe('still under way'));
    await Promise.race([begun('slow-two'), early]);
    early.catch(() => {});
    await killConnections(shell);
    await shell.run('touch /run/slow-two.go');
    const { outcome, events } = await applying;
    expect(outcome).toEqual({ ok: true });
    expect(started).toBe(2);
    expect(steps(events)).toEqual(['begin', 'start 0', 'done 0', 'start 1', 'done 1', 'end']);
  });

  test('refuses another controller with the user and start time of the run, and lets it attach', async () => {
    const item = await slowItem('slow-three');
    const { promise: ran, resolve: onBegin } = Promise.withResolvers<string>();
    const first = apply(host, [item], {
      who: 'anna@desk (77)',
      onEvent: (event) => {
        if (event.event === 'begin') onBegin(event.run);
      },
    });
    const run = await ran;
    await begun('slow-three');
    const second = await apply(host, [wants('create', file('/etc/x', 'x'))]).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(RunBusyError);
    expect(second).toMatchObject({
      run: { id: run, who: 'anna@desk (77)', command: 'install', alive: true },
    });
    expect((second as Error).message).toContain('anna@desk (77)');
    const attached: RunEvent[] = [];
    const following = attachRun(host, scripts, run, { onEvent: (event) => attached.push(event) });
    await until('the attached one sees the start', async () => attached.length > 1);
    await shell.run('touch /run/slow-three.go');
    expect(await following).toEqual({ ok: true });
    const { events } = await first;
    expect(attached).toEqual(events);
    const later: RunEvent[] = [];
    expect(await attachRun(host, scripts, run, { onEvent: (event) => later.push(event) })).toEqual({
      ok: true,
    });
    expect(later).toEqual(events);
  });

  test('removes old runs, and refuses to attach to an unknown one', async () => {
    for (let n = 0; n < 6; n += 1) await apply(host, [wants('create', file('/etc/n', `${n}\n`))]);
    expect((await shell.run('ls /var/lib/mesosup/runs')).split('\n')).toHaveLength(5);
    await expect(attachRun(host, scripts, 'no-such-run', { onEvent: () => {} })).rejects.toThrow(
      /the run no-such-run is not known/,
    );
  });
});

describe('packages', () => {
  test('refuses a file with the wrong SHA-256 before dpkg starts', async () => {
    const { url, name } = lab.mesos();
    const applied = await apply(host, [
      wants('install', { kind: 'package', name, file: { url }, sha256: 'ab'.repeat(32) }),
    ]);
    expect(failureOf(applied)).toMatchObject({ failure: 'hash', item: 0 });
    expect((await probe(host, { packages: [name] })).packages[name]).toBeUndefined();
  });

  /** The key and the list of a repository, and a package from it. */
  function fromRepository(lines: RepositoryLines, name: string): PlanItem[] {
    const key = '/etc/apt/keyrings/lab.asc';
    return [
      wants('create', {
        kind: 'directory',
        path: '/etc/apt/keyrings',
        owner: 'root',
        group: 'root',
        mode: '0755',
      }),
      wants('create', {
        kind: 'apt-key',
        path: key,
        source: { url: lines.key },
        fingerprint: lines.fingerprint,
      }),
      wants('create', {
        ...file(
          '/etc/apt/sources.list.d/lab.list',
          `deb [signed-by=${key}] ${lines.debian.replace('{codename}', 'bookworm')}\n`,
        ),
        aptSource: true,
      }),
      wants('install', { kind: 'package', name, version: lab.mesos().version }),
    ];
  }

  async function withKeys(items: PlanItem[], now?: () => number): Promise<readonly PlanItem[]> {
    const plan = { format: 1, command: 'install', cluster: 'c', version: '0' } as const;
    const filled = await fetchKeys({ ...plan, hosts: [{ host: 'h1', items, basis: '' }] }, now);
    return filled.hosts[0]?.items ?? [];
  }

  test('reports a repository whose list has another digest than the file', async () => {
    const items = await withKeys(fromRepository(lab.mesos().wrongHash, lab.mesos().name));
    const applied = await apply(host, items);
    expect(failureOf(applied)).toMatchObject({ failure: 'hash', item: 3 });
  });

  test('reports an expired key of a repository, on this machine and by apt on the host', async () => {
    const items = fromRepository(lab.mesos().expired, lab.mesos().name);
    await expect(withKeys(items)).rejects.toThrow(/expired on \d{4}-\d\d-\d\d/);
    const applied = await apply(host, await withKeys(items, () => 0));
    expect(failureOf(applied)).toMatchObject({ failure: 'signature', item: 3 });
    expect(failureOf(applied).message).toMatch(/key has expired.*EXPKEYSIG/s);
    const { files } = await probe(host, { files: ['/etc/apt/keyrings/lab.asc'] });
    expect(files['/etc/apt/keyrings/lab.asc']?.keys).toEqual({
      fingerprints: [lab.mesos().expired.fingerprint],
      expires: expect.any(Number),
    });
  });

  test('refuses a key with another fingerprint before any host is changed', async () => {
    const { good, expired, name } = lab.mesos();
    const items = fromRepository({ ...good, fingerprint: expired.fingerprint }, name);
    await expect(withKeys(items)).rejects.toThrow(`not ${expired.fingerprint}`);
  });

  test('after that, installs from the right repository', async () => {
    const { outcome } = await apply(host, await withKeys(fromRepository(lab.mesos().good, lab.mesos().name)));
    expect(outcome).toEqual({ ok: true });
    const { packages } = await probe(host, { packages: [lab.mesos().name] });
    expect(packages[lab.mesos().name]?.version).toContain(lab.mesos().version);
  });

  test('reports a package that no repository has, and an unreachable repository', async () => {
    const none = await apply(host, [wants('install', { kind: 'package', name: 'no-such-package' })]);
    expect(failureOf(none)).toMatchObject({ failure: 'package' });
    expect(failureOf(none).message).toContain('Unable to locate package no-such-package');
    const list = '/etc/apt/sources.list.d/away.list';
    const away = await apply(host, [
      wants('create', {
        ...file(list, 'deb [trusted=yes] http://127.0.0.1:1/debian bookworm main\n'),
        aptSource: true,
      }),
      wants('install', { kind: 'package', name: 'only-there' }),
    ]);
    await shell.run(`rm ${list}`);
    expect(failureOf(away)).toMatchObject({ failure: 'fetch' });
  });

  test('reports a full disk before dpkg starts, and while files are written', async () => {
    await shell.run('apt-get -qq clean');
    const repair = await fillDisk(shell, '/usr/share/doc-base', 64);
    const full = await fillDisk(shell, '/var/cache/apt/archives', 300);
    const applied = await apply(host, [wants('install', { kind: 'package', name: 'redis-server' })]);
    expect(failureOf(applied)).toMatchObject({ failure: 'disk' });
    expect(failureOf(applied).message).toMatch(/no space is left on the host: .*free in/);
    await full();
    const written = await apply(host, [
      wants('create', file('/usr/share/doc-base/big', 'x'.repeat(200_000))),
    ]);
    expect(failureOf(written)).toMatchObject({ failure: 'disk' });
    await repair();
    const after = await apply(host, [
      wants('install', { kind: 'package', name: 'redis-server' }),
      wants('create', file('/usr/share/doc-base/big', 'x'.repeat(200_000))),
    ]);
    expect(after.outcome).toEqual({ ok: true });
    expect((await probe(host)).dpkg.broken).toEqual([]);
  });
});

describe("the cluster's lock", () => {
  let other: Hosts;
  beforeEach(() => {
    other = openHosts(lab);
    return () => other.close();
  });

  test('has one holder, and names it', async () => {
    const first = await acquireClusterLock(host, scripts, 'anna@desk (1)');
    const refused = await acquireClusterLock(host, scripts, 'ben@desk (2)').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ClusterLockedError);
    expect(refused).toMatchObject({ who: 'anna@desk (1)' });
    await first.release();
    await (await acquireClusterLock(host, scripts, 'ben@desk (2)')).release();
    expect((await shell.exec('test -e /run/mesosup')).code).toBe(1);
  });

  test('is released when the connection ends', async () => {
    const away = other.open({ name: 'h1', address: 'h1', connection: { kind: 'ssh' } });
    const lock = await acquireClusterLock(away, scripts, 'anna@desk (1)');
    await killConnections(shell);
    await lock.over;
    const again = await until('the lock is free', () => acquireClusterLock(host, scripts, 'ben@desk (2)'));
    await again.release();
  });
});

test('a service that fails during a wait for another one ends the wait', async () => {
  const applied = await apply(
    host,
    [
      wants('create', unit('short', 'sleep 1; echo that is all')),
      wants('create', unit('late', 'exec sleep 1000')),
      wants('start', service('short')),
      wants('start', service('late', { after: 'master-elected' })),
    ],
    { masters: [{ address: '127.0.0.1', port: 5999 }], limits: { edge: 60 } },
  );
  expect(failureOf(applied)).toMatchObject({ failure: 'service', item: 2 });
  expect(failureOf(applied).message).toContain('that is all');
  const waits = applied.events.flatMap((e) => (e.event === 'wait' ? [e.reason] : []));
  expect(waits).toEqual(['a leading Mesos master: 127.0.0.1:5999 does not answer']);
});

test('a wait that never succeeds is an error that names what is missing', async () => {
  const applied = await apply(
    host,
    [
      wants('create', unit('late', 'exec sleep 1000')),
      wants('start', service('late', { after: 'zookeeper-quorum' })),
    ],
    { zookeeper: [{ address: '127.0.0.1', port: 2999 }], limits: { edge: 1 } },
  );
  expect(failureOf(applied)).toMatchObject({ failure: 'wait', item: 1 });
  expect(failureOf(applied).message).toContain('127.0.0.1:2999 does not answer');
});

test('a failed run leaves no temporary files', async () => {
  const { stdout } = await execa('docker', ['exec', shell.container, 'ls', '-A', '/var/lib/mesosup']);
  expect(stdout.split('\n').toSorted()).toEqual([
    'accounts',
    'backup',
    'cluster',
    'installed-packages',
    'journal.ndjson',
    'run.lock',
    'runs',
    'services',
    'start.lock',
  ]);
  expect((await shell.exec('test -e /usr/sbin/policy-rc.d')).code).toBe(1);
});

/** Without log and wait events. */
function steps(events: readonly RunEvent[]): string[] {
  return events
    .filter(({ event }) => !['log', 'wait', 'progress'].includes(event))
    .map((e) => ('item' in e ? `${e.event} ${e.item}` : e.event));
}
