/**
 * Faults while a cluster is installed: each ends in an error that names the host and the remedy, and the other hosts
 * are installed. When the fault is repaired, the next run completes the work, and the run after it finds no changes.
 */

import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fillDisk,
  holdDpkg,
  holdDpkgLock,
  killConnections,
  type Repair,
  shiftClock,
} from '../../lab/faults.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { AGENT_PACKAGES } from '../../lab/preinstalled.ts';
import { until } from '../demo-cluster.ts';
import { expectDone, LabCluster, type Outcome } from '../support/lab-cluster.ts';

/** Preinstalled, so that only Mesos and the payload must be installed. */
const NAMES = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7', 'h8', 'h9'];
let lab: Lab;
let cluster: LabCluster;

beforeAll(async () => {
  lab = await startLab({
    hosts: NAMES.map((name) => ({
      packages: AGENT_PACKAGES,
      login: name === 'h2' ? 'sudo-password' : 'root',
    })),
  });
  cluster = new LabCluster(lab);
}, 600_000);

afterAll(() => lab?.stop());

/** The cluster's hosts: the first is its master, the others are agents. */
async function spec(
  names: readonly string[],
  more: Record<string, unknown> = {},
  lines = lab.mesos().good,
): Promise<void> {
  const hosts = names.map((name) => (name === 'h1' ? { name, roles: ['master', 'scheduler'] } : name));
  const { debian, ubuntu, key, fingerprint } = lines;
  const { version } = lab.mesos();
  const mesos = { source: 'clusterd', version, repository: { debian, ubuntu, key, fingerprint } };
  await cluster.writeSpec({ hosts, docker: { source: 'preinstalled' }, mesos, ...more });
}

const install = (...args: string[]) => cluster.run('install', '--yes', ...args);

/** Shows the output if the command did not fail. */
function expectFailed({ code, all }: Outcome): void {
  expect(code, all).toBe(1);
}

/** Finds the last error of the host, after its mark, and the remedy below it. */
function troubleOf(host: string, { all }: Outcome): { message: string; remedy: string } | undefined {
  const found = [...all.matchAll(/^✖ (\S+?): ((?:(?!✖).*\n)*?) {2}→ (.*)/gm)].findLast(
    ([, of]) => of === host,
  );
  return found && { message: found[2] ?? '', remedy: found[3] ?? '' };
}

/** Install completes the work, and a second install changes nothing. */
async function expectConverges(): Promise<void> {
  expectDone(await install());
  await expectNoChanges();
}

async function expectNoChanges(): Promise<void> {
  const again = await install();
  expectDone(again);
  expect(again.stdout).toMatch(/^no changes/m);
}

async function isUntouched(host: LabHost): Promise<boolean> {
  const seen = await host.run(
    'ls -d /var/lib/mesosup /opt/mesosup/* /etc/mesos* /etc/apt/sources.list.d/* 2>/dev/null; true',
  );
  return seen === '';
}

/** Names of hosts on which Mesos' package and the payload are installed completely. */
async function installed(): Promise<string[]> {
  const look = `dpkg-query -W -f '\${Status}\\n' ${lab.mesos().name} | grep -qx 'install ok installed' &&
    test -x /opt/mesosup/current/bin/node`;
  const codes = await Promise.all(lab.hosts.map(async (host) => [host.name, (await host.exec(look)).code]));
  return codes.flatMap(([name, code]) => (code === 0 ? [String(name)] : []));
}

/** The remote addresses of the host's SSH connections. */
async function connections(host: LabHost): Promise<string[]> {
  const list = await host.run("ss -Htn state established 'sport = :22' | awk '{ print $4 }'");
  return list.split('\n').filter(Boolean);
}

/** Starts an install; `sees` waits until its output matches. */
function begin(...args: string[]) {
  const running = cluster.start('install', '--yes', ...args);
  let text = '';
  running.all?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const sees = (pattern: RegExp) => until(`the run says ${pattern}`, async () => pattern.test(text), 180_000);
  const ended = async (): Promise<Outcome> => {
    const { exitCode, stdout, stderr, all } = await running;
    return { code: exitCode ?? -1, stdout, stderr, all: all ?? '' };
  };
  return { running, sees, ended };
}

describe('hosts with errors', () => {
  const repairs: Repair[] = [];
  /** Faults by host: causes the fault; the expected message and remedy. */
  const faults: Record<string, { set: () => Promise<Repair>; message: RegExp; remedy: RegExp }> = {
    h2: {
      set: async () => {
        const file = path.join(cluster.directory, 'sudo-password');
        const right = await readFile(file);
        await writeFile(file, 'wrong\n');
        return () => writeFile(file, right);
      },
      message: /the sudo password of ops is wrong/,
      remedy: /Enter the right sudo password of ops/,
    },
    h3: {
      set: async () => {
        await lab.host('h3').disconnect();
        return () => lab.host('h3').connect();
      },
      message: /no network route to \S+:22/,
      remedy: /Check that the host is running and that its address is right/,
    },
    h4: {
      set: async () => {
        const { knownHosts } = lab.ssh;
        const right = await readFile(knownHosts, 'utf8');
        await writeFile(knownHosts, right.replace(lab.host('h4').hostKey, lab.host('h1').hostKey));
        return () => writeFile(knownHosts, right);
      },
      message: /its host key is ssh-ed25519 SHA256:\S+, but \S+known_hosts, line 4 has/,
      remedy: /Another machine may be answering.*ssh-keygen -R/,
    },
    h5: {
      set: () => shiftClock(lab.host('h5'), -600),
      message: /its clock is 10 min behind the other clocks/,
      remedy: /timedatectl set-ntp true/,
    },
    h6: {
      set: () => fillDisk(lab.host('h6'), '/opt', 1000),
      message: /\/opt has \d MB free, but \d+ MB are needed/,
      remedy: /Free disk space there/,
    },
  };
  const bad = Object.keys(faults);

  test('are reported all at once, each with its remedy, and not changed; the others are installed', async () => {
    await spec(['h1', ...bad, 'h7']);
    for (const { set } of Object.values(faults)) repairs.push(await set());
    const failed = await install();
    expectFailed(failed);
    for (const [name, { message, remedy }] of Object.entries(faults)) {
      const trouble = troubleOf(name, failed);
      expect(trouble?.message).toMatch(message);
      expect(trouble?.remedy).toMatch(remedy);
    }
    expect(failed.stdout).toContain(`Left out: ${bad.join(', ')}.`);
    expect(await installed()).toEqual(['h1', 'h7']);
    for (const name of bad)
      expect({ name, untouched: await isUntouched(lab.host(name)) }).toEqual({ name, untouched: true });
  });

  test('are installed when they are repaired, and then there are no changes', async () => {
    for (const repair of repairs) await repair();
    await expectConverges();
    expect(await installed()).toEqual(['h1', ...bad, 'h7']);
  });

  test('can all be uninstalled', async () => {
    expectDone(await cluster.run('uninstall', '--yes', '--purge'));
    expect(await installed()).toEqual([]);
    // apt does not check files that it has fetched before.
    await Promise.all(lab.hosts.map((host) => host.run('apt-get -qq clean')));
  });
});

describe('packages with the wrong content', () => {
  test('an expired key of the repository is reported before any host is changed', async () => {
    const { expired } = lab.mesos();
    await spec(['h1', 'h2'], {}, expired);
    const failed = await install();
    expectFailed(failed);
    expect(failed.stderr).toMatch(/the key at \S+ expired on \d{4}-\d\d-\d\d/);
    expect(failed.stderr).toContain('Nothing was changed: the key is for h1, h2.');
    expect(failed.stderr).toMatch(/→ Ask the repository for its renewed key/);
    for (const name of ['h1', 'h2']) expect(await isUntouched(lab.host(name))).toBe(true);
  });

  test('a repository whose package has another hash than its list fails; the right repository works', async () => {
    await spec(['h1', 'h2'], {}, lab.mesos().wrongHash);
    const failed = await install();
    expectFailed(failed);
    for (const name of ['h1', 'h2']) {
      const trouble = troubleOf(name, failed);
      expect(trouble?.message).toMatch(/the download has the wrong checksum or size:\n.*Hash Sum mismatch/);
      expect(trouble?.remedy).toContain('Check the SHA-256 in the cluster file, or try again');
    }
    expect(await installed()).toEqual([]);
    await spec(['h1', 'h2']);
    await expectConverges();
    expect(await installed()).toEqual(['h1', 'h2']);
  });

  test('a package file with another hash stops the host that needs it, and no other', async () => {
    const { url, file, sha256 } = lab.mesos();
    const wrong = sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const source = (from: string, sum: string) => ({ mesos: { source: 'package', from, sha256: sum } });
    const hosts = ['h1', 'h2', 'h3'];
    await spec(hosts, source(file, wrong));
    const here = await install();
    expectFailed(here);
    expect(here.stderr).toContain(`${file} has the SHA-256 ${sha256}, not ${wrong}`);
    expect(here.stderr).toContain('Nothing was changed: the package is for h3.');
    expect(await isUntouched(lab.host('h3'))).toBe(true);

    await spec(hosts, source(url, wrong));
    const there = await install();
    expectFailed(there);
    expect(troubleOf('h3', there)?.message).toContain(
      `expected SHA-256 ${wrong}\nreceived SHA-256 ${sha256}`,
    );
    expect(troubleOf('h3', there)?.remedy).toContain('Check the SHA-256 in the cluster file');
    for (const name of ['h1', 'h2']) expect(troubleOf(name, there)).toBeUndefined();
    expect(Object.keys(await cluster.planned())).toEqual(['h3']);

    await spec(hosts, source(url, sha256));
    await expectConverges();
    expect(await installed()).toEqual(hosts);
  });
});

describe('runs that are interrupted', () => {
  const hosts = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

  test('connections killed during dpkg are opened again, and the run completes', async () => {
    await spec(hosts.slice(0, 4));
    const h4 = lab.host('h4');
    const held = await holdDpkg(h4);
    const run = begin();
    await until('dpkg is at work', held.begun, 120_000);
    const killed = await connections(h4);
    expect(killed).toHaveLength(1);
    // The connection to the first host holds the cluster's lock.
    await Promise.all([h4, lab.host('h1')].map(killConnections));
    await until('there is another', async () => {
      const [now] = await connections(h4);
      return now !== undefined && !killed.includes(now);
    });
    await held.release();
    expectDone(await run.ended());
    expect(await installed()).toContain('h4');
    await expectNoChanges();
  });

  test('the host completes its run when the controller is killed with -9, and the next run waits for it', async () => {
    await spec(hosts.slice(0, 5));
    const held = await holdDpkg(lab.host('h5'));
    const killed = begin();
    await until('dpkg is at work', held.begun, 120_000);
    killed.running.kill('SIGKILL');
    await killed.ended();
    const next = begin();
    await next.sees(/h5: "install" by \S+ \(\d+\) is in progress since .*: waiting until it ends/);
    await held.release();
    expectDone(await next.ended());
    expect(await installed()).toContain('h5');
    await expectNoChanges();
  });

  test('a host that loses power during dpkg is reported, and the next run repairs it', async () => {
    await spec(hosts);
    const h6 = lab.host('h6');
    // So that the end of a connection that is not closed is noticed sooner.
    await appendFile(lab.ssh.config, '  ServerAliveInterval 1\n');
    const held = await holdDpkg(h6);
    const run = begin();
    await until('dpkg is at work', held.begun, 120_000);
    await h6.kill();
    await run.sees(/h6: the connection is lost/);
    await h6.start();
    const failed = await run.ended();
    expectFailed(failed);
    expect(troubleOf('h6', failed)).toEqual({
      message: expect.stringMatching(/^the run \S+ ended unexpectedly: .*the host went down/),
      remedy: 'Run the same command again to resume.',
    });
    await held.release();
    const next = await install();
    expectDone(next);
    expect(next.stderr).toMatch(/h6: "install" by \S+ \(\d+\) ended unexpectedly/);
    expect(next.stdout).toContain('dpkg: complete an interrupted run');
    expect(await installed()).toContain('h6');
    await expectNoChanges();
  });
});

describe("dpkg's lock", () => {
  const hosts = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7', 'h8'];

  test('is waited for with a message; if it is never released the host fails, and the others are installed', async () => {
    await spec(hosts);
    const lock = await holdDpkgLock(lab.host('h7'));
    const holder = `unattended-upgr (${lock.pid})`;
    const failed = await install('--timeout', '2');
    expectFailed(failed);
    expect(failed.stdout).toContain(`⚠ h7: dpkg is in use by ${holder}`);
    expect(troubleOf('h7', failed)).toEqual({
      message: expect.stringContaining(`${holder} has held the dpkg lock for 2 seconds`),
      remedy: 'Check that program on the host. When it has ended, run the same command again.',
    });
    expect(await installed()).toEqual(hosts.filter((name) => name !== 'h7'));

    const waiting = begin();
    await waiting.sees(
      new RegExp(`h7: .* waiting: the dpkg lock is held by unattended-upgr \\(${lock.pid}\\)`),
    );
    await lock.release();
    expectDone(await waiting.ended());
    expect(await installed()).toEqual(hosts);
    await expectNoChanges();
  });
});

describe('a disk that fills up', () => {
  test('during dpkg fails the host, and a later run completes when there is space', async () => {
    await spec(NAMES);
    const repair = await fillDisk(lab.host('h9'), lab.mesos().largestIn, 20_000);
    const failed = await install();
    expectFailed(failed);
    const trouble = troubleOf('h9', failed);
    expect(trouble?.message).toMatch(/no space is left on the host: .* free in/);
    expect(trouble?.remedy).toMatch(/Free disk space there/);
    expect(Object.keys(await cluster.planned())).toEqual(['h9']);
    await repair();
    await expectConverges();
    expect(await installed()).toEqual(NAMES);
  });
});
