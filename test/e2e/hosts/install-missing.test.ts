/**
 * Unreachable hosts, mainly masters: reported with the cause, while the other hosts are installed and changed. Then a
 * host of this cluster is taken out of service and put back, and a fourth host is added and removed.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeRow } from '../../../src/install/node-rows.ts';
import type { PlanSummary } from '../../../src/install/summary.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { root, until } from '../demo-cluster.ts';
import { runExample } from '../support/cluster-example.ts';
import { expectDone, LabCluster, type Outcome, PORTS } from '../support/lab-cluster.ts';
import { type Load, underLoad } from '../support/redis-load.ts';
import { type Contacts, contactsDuring } from '../support/ssh-contacts.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) > 1;
const STACK = /^ +at .*(\.ts|\.js|node:)/m;
let lab: Lab;
let cluster: LabCluster;
let h3: LabHost;
/** The cluster file without h4. */
let spec: string;

beforeAll(async () => {
  lab = await startLab({
    hosts: [
      { packages: MEMBER_PACKAGES },
      { packages: MEMBER_PACKAGES },
      { packages: MEMBER_PACKAGES },
      { packages: MEMBER_PACKAGES },
    ],
  });
  cluster = new LabCluster(lab);
  // A package file of an earlier test run would not come from a host.
  process.env.XDG_CACHE_HOME = path.join(lab.directory, 'cache');
  h3 = lab.host('h3');
  await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] }, lab.mesos().former);
});
afterAll(() => lab?.stop());

/** The run reports the host with its cause once, and shows no bug and no stack. */
function expectNamed({ all }: Outcome, host: string, cause: RegExp): void {
  const lines = all.split('\n').filter((line) => line.startsWith('✖ ') && line.includes(host));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(cause);
  expect(all).not.toMatch(STACK);
  expect(all).not.toMatch(/because of a bug|UnknownAddressError/);
}

/** Expects one connection to each host; more than the probe only on some, and on the one that holds the cluster's lock. */
function expectContacts(
  found: Record<string, Contacts>,
  { works, probed }: { readonly works: readonly string[]; readonly probed: readonly string[] },
): void {
  console.log(JSON.stringify(found));
  for (const name of [...works, ...probed]) expect([name, found[name]?.connections]).toEqual([name, 1]);
  for (const name of works) expect(found[name]?.sessions).toBeGreaterThan(1);
}

const hostsOf = (...names: string[]): LabHost[] => names.map((name) => lab.host(name));

async function members(): Promise<string[]> {
  return (
    await lab
      .host('h1')
      .run("sed -n 's/^server[.]\\([0-9]*\\)=\\(.*\\):2888.*/\\1 \\2/p' /etc/mesosup/zookeeper/zoo.cfg")
  )
    .trim()
    .split('\n');
}

test('a plan for unreachable hosts names each of them once', async () => {
  const nobody = new LabCluster(lab, 'nobody');
  await nobody.writeSpec({ hosts: ['nosuch-1', 'nosuch-2', 'nosuch-3'] });
  const failed = await nobody.run('plan');
  expect(failed.code, failed.all).toBe(1);
  for (const name of ['nosuch-1', 'nosuch-2', 'nosuch-3'])
    expectNamed(failed, name, /DNS does not know the name/);
});

test('a first install continues with two of three masters, reports the third with its cause, and starts nothing', async () => {
  await h3.stop();
  const done = await cluster.run('install', '--start', '--yes');
  expect(done.code, done.all).toBe(1);
  expectNamed(done, 'h3', /h3: .*(no network route to|timed out|refused|unreachable)/);
  // Mesos creates a registry only when all masters run.
  expect(done.all).toMatch(
    /h3: .*not started: Mesos creates the registry of a new cluster only when 3 masters run/,
  );
  expect(done.stdout).toContain('Left out: h3.');
  expect(await members()).toEqual([`1 ${lab.host('h1').address}`, `2 ${lab.host('h2').address}`]);
  for (const name of ['h1', 'h2']) {
    const states = await lab.host(name).exec('systemctl is-active mesos-master zookeeper mesos-agent');
    expect(states.stdout).toBe('inactive\ninactive\ninactive');
  }
  const started = await cluster.run('start', '--yes');
  expect(started.code, started.all).toBe(1);
  // The ensemble does not run yet, and h3 is not a member of it: the second line names another remedy.
  expect(started.all).toMatch(/✖ h3: [\s\S]*✖ h3: the address of h3 within the cluster is not known/);
  expect(started.all).not.toMatch(STACK);
});

test('the third master joins when it is reachable, and the cluster is healthy', async () => {
  await h3.start();
  expectDone(await cluster.run('install', '--start', '--yes'));
  expect(await members()).toHaveLength(3);
  expect((await cluster.status()).healthy).toBe(true);
  expect(await cluster.planned()).toEqual({});
});

test('the cluster can be changed with a dead master, which gets the change when it is back', async () => {
  await h3.kill();
  const plan = await cluster.run('plan');
  expect(plan.code, plan.all).toBe(1);
  expectNamed(plan, 'h3', /h3: /);
  expect(plan.stdout).toMatch(/No changes/);
  await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'], agentFlags: { gc_delay: '2days' } });
  const changed = await cluster.run('install', '--yes');
  expect(changed.code, changed.all).toBe(1);
  expectNamed(changed, 'h3', /h3: /);
  expect(changed.stdout).toContain('Left out: h3.');
  for (const name of ['h1', 'h2'])
    expect(await lab.host(name).run('cat /etc/mesos-agent/gc_delay')).toBe('2days');
  await h3.start();
  expectDone(await cluster.run('install', '--yes'));
  expect(await h3.run('cat /etc/mesos-agent/gc_delay')).toBe('2days');
  await until('the cluster is healthy', async () => (await cluster.status()).healthy, 120_000);
});

async function nodes(): Promise<NodeRow[]> {
  return JSON.parse((await cluster.run('node', 'list', '-o', 'json')).stdout) as NodeRow[];
}

/** Sends an operator's call about a host's agent to the leading master. */
async function callMaster(type: string, host: string): Promise<void> {
  const rows = await nodes();
  const leader = rows.find(({ health }) => /leads [^;]*master/.test(health))?.host ?? 'h1';
  const agent_id = { value: rows.find((one) => one.host === host)?.agent };
  const body = JSON.stringify({ type, [type.toLowerCase()]: { agent_id } });
  const headers = { 'content-type': 'application/json' };
  const answer = await cluster.operator(lab.host(leader), PORTS.master, '/api/v1', {
    method: 'POST',
    headers,
    body,
  });
  expect([type, answer.status, await answer.text()]).toEqual([type, 200, '']);
}

test('node drain moves ten tasks under load without a failed request; reactivated, the agent takes tasks at once', async () => {
  const h1 = lab.host('h1');
  const image = await ensureRedisImage();
  await Promise.all(lab.hosts.map((host) => loadImage(host, image)));
  for (const name of ['h2', 'h3']) await callMaster('DEACTIVATE_AGENT', name);
  const app = {
    id: '/pings',
    instances: 10,
    cpus: 0.05,
    mem: 16,
    drainSeconds: 2,
    container: { docker: { image, network: 'BRIDGE' }, portMappings: [{ containerPort: 6379 }] },
    healthChecks: [{ protocol: 'TCP', intervalSeconds: 1, gracePeriodSeconds: 60 }],
  };
  const created = await cluster.api(h1, '/v2/apps', { method: 'POST', body: JSON.stringify(app) });
  expect(created.status, await created.text()).toBe(201);
  const places = async () => (await cluster.endpoints(h1, 'pings')).map(({ host }) => host);
  await until('ten instances are on h1', async () => (await places()).length === 10, 180_000);
  expect(new Set(await places())).toEqual(new Set([h1.address]));
  for (const name of ['h2', 'h3']) await callMaster('REACTIVATE_AGENT', name);

  let load: Load = { answered: 0, failures: [] };
  const found = await contactsDuring(hostsOf('h1', 'h2', 'h3'), async () => {
    load = await underLoad(cluster, [h1], 'pings', async () => {
      expectDone(await cluster.run('node', 'drain', 'h1', '--yes'));
    });
  });
  expect(load.failures).toEqual([]);
  expect(load.answered).toBeGreaterThan(50);
  expectContacts(found, { works: ['h1'], probed: ['h2', 'h3'] });
  const moved = await places();
  expect(moved).toHaveLength(10);
  expect(moved).not.toContain(h1.address);
  expect(await h1.run('docker ps -q --filter label=mesosup.task')).toBe('');
  expect(await h1.exec("pgrep -f '^/bin/sh .*executors/docker'")).toMatchObject({ stdout: '' });
  expect((await nodes()).map(({ duty, tasks }) => [duty, tasks === 0])).toEqual([
    ['drained', true],
    ['active', false],
    ['active', false],
  ]);
  // A drained host is no fault of the cluster, and draining it again is no change.
  expect((await cluster.status()).problems).toEqual([]);
  expect((await cluster.run('node', 'drain', 'h1', '--yes')).stdout).toContain('no changes');

  expectDone(await cluster.run('node', 'undrain', 'h1', '--yes'));
  const scaled = await cluster.api(h1, '/v2/apps/pings', {
    method: 'PUT',
    body: JSON.stringify({ instances: 14 }),
  });
  expect(scaled.status, await scaled.text()).toBe(200);
  await until('h1 has tasks again', async () => (await places()).includes(h1.address), 60_000);
  expect((await cluster.run('node', 'undrain', 'h1', '--yes')).stdout).toContain('no changes');
});

test('backup and restore bring back what the machine knows about the cluster', async () => {
  const file = path.join(cluster.directory, 'lab.backup');
  const run = (args: readonly string[], phrase: string) =>
    execa(path.join(root, 'bin/mesosup'), args, { input: `${phrase}\n`, reject: false, all: true });
  const flags = ['--file', cluster.specFile, '--state', cluster.state, ...cluster.connection()];
  const made = await run(['backup', file, ...flags], 'a phrase');
  expect(made.exitCode, made.all).toBe(0);
  const to = path.join(cluster.directory, 'restored');
  const places = ['--state', path.join(to, 'state'), '--to', path.join(to, 'spec')];
  const wrong = await run(['restore', file, ...places], 'another phrase');
  expect([wrong.exitCode, wrong.stderr]).toEqual([1, expect.stringContaining('the pass phrase')]);
  expect(await readdir(cluster.directory)).not.toContain('restored');
  const restored = await run(['restore', file, ...places], 'a phrase');
  expect(restored.exitCode, restored.all).toBe(0);
  expect(await readFile(path.join(to, 'spec/scheduler.backup'), 'utf8')).toContain('/pings');
  expect(await readFile(path.join(to, 'spec/cluster.yaml'), 'utf8')).toBe(
    await readFile(cluster.specFile, 'utf8'),
  );
  const at = ['--file', path.join(to, 'spec/cluster.yaml'), '--state', path.join(to, 'state')];
  const status = await run(['status', ...at, ...cluster.connection()], '');
  expect(status.exitCode, status.all).toBe(0);
  expect((await run(['restore', file, ...places], 'a phrase')).stderr).toContain('exists already');
});

async function lockedMesos(): Promise<string | undefined> {
  const text = await readFile(path.join(cluster.state, 'versions.lock'), 'utf8');
  const { systems } = JSON.parse(text) as { systems: Record<string, Record<string, { version: string }>> };
  return Object.values(systems)[0]?.[lab.mesos().name]?.version;
}

function mesosOn(host: LabHost): Promise<string> {
  return host.run(`dpkg-query -W -f '\${Version}' ${lab.mesos().name}`);
}

// In each run, the next test adds a host, and members.test.ts removes one that answers.
test.runIf(isSoak)('node add and remove take versions.lock, and change no other host', async () => {
  const h4 = lab.host('h4');
  const text = `# Managed by hand\n${await readFile(cluster.specFile, 'utf8')}`;
  await writeFile(cluster.specFile, text);
  const before = await runs();
  // The repository has a newer version by now.
  const [mesos, next] = [lab.mesos().version, lab.mesos().nextVersion];
  const done = await cluster.run('node', 'add', 'h4', '--attribute', 'rack=b', '--yes');
  expectDone(done);
  expect(done.stdout).toContain('as in versions.lock on h4');
  expect(await mesosOn(h4)).toBe(mesos);
  expect(next).not.toBe(mesos);
  expect(await cluster.planned()).toEqual({});

  expectDone(await cluster.run('node', 'remove', 'h4', '--yes'));
  const four = new LabCluster(lab);
  four.flags = ['--hosts', 'h1,h2,h3,h4'];
  const { stdout } = await four.run('plan', '--update', '--json');
  const { summary } = JSON.parse(stdout) as { summary: PlanSummary };
  expect(summary.moved).toContainEqual({ name: lab.mesos().name, from: mesos, to: next, host: 'h4' });
  expect(await readFile(cluster.specFile, 'utf8')).toBe(text);
  expect(await h4.run('ls -d /etc/mesosup /var/lib/mesosup /opt/mesosup 2>/dev/null || :')).toBe('');
  expect((await nodes()).map(({ host }) => host)).toEqual(['h1', 'h2', 'h3']);
  expect(await runs()).toEqual(before);
});

/** The runs on the other hosts than h4: mesosup writes the present one into its state whenever it changes something there. */
function runs(): Promise<string[]> {
  return Promise.all(hostsOf('h1', 'h2', 'h3').map((host) => host.run('ls /var/lib/mesosup/runs')));
}

test('node add changes cluster.yaml and the host concerned only, and takes packages from other hosts', async () => {
  const h4 = lab.host('h4');
  const { moved, version } = lab.mesos();
  await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] }, moved);
  spec = `# Managed by hand\n${await readFile(cluster.specFile, 'utf8')}`;
  await writeFile(cluster.specFile, spec);
  const before = await runs();
  expect(await lockedMesos()).toBe(version);
  let added: Outcome | undefined;
  const found = await contactsDuring(lab.hosts, async () => {
    added = await cluster.run('node', 'add', 'h4', '--attribute', 'rack=b', '--yes');
    expectDone(added);
  });
  expectContacts(found, { works: ['h4'], probed: ['h1', 'h2', 'h3'] });
  expect(await runs()).toEqual(before);
  // The repository no longer has the version of the other hosts, and their apt has kept its file.
  expect(added?.stderr).toMatch(new RegExp(`h4: ${lab.mesos().name} ${version} comes from h[123]`));
  expect(await mesosOn(h4)).toBe(version);
  expect(await h4.run('ls -d /opt/mesosup/.upload /var/lib/mesosup/runs/*/files 2>/dev/null; :')).toBe('');
  expect(await h4.run('apt-cache policy tini >/dev/null && apt-get check 2>&1 | grep ^[EW]: ; :')).toBe('');
  const text = await readFile(cluster.specFile, 'utf8');
  expect(text).toMatch(/^# Managed by hand\n/);
  expect(text).toContain('  - h3\n  - name: h4\n');
  expect((await nodes()).at(-1)).toMatchObject({ host: 'h4', healthy: true, address: h4.address });
  const again = await cluster.run('node', 'add', 'h4', '--yes');
  expect(again.stdout, again.all).toContain('no changes');
});

test('node remove --dead removes a host that burnt down, and no host that answers', async () => {
  const alive = await cluster.run('node', 'remove', 'h4', '--dead', '--yes');
  expect([alive.code, alive.stderr]).toEqual([2, expect.stringContaining('h4 answers')]);
  await lab.host('h4').kill();
  const refused = await cluster.run('node', 'remove', 'h4', '--yes');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--dead')]);
  const masters = hostsOf('h1', 'h2', 'h3');
  const found = await contactsDuring(masters, async () => {
    expectDone(await cluster.run('node', 'remove', 'h4', '--dead', '--yes'));
  });
  expectContacts(found, { works: [], probed: ['h1', 'h2', 'h3'] });
  expect(await readFile(cluster.specFile, 'utf8')).toBe(spec);
  const logs = await Promise.all(masters.map((host) => host.run('journalctl -q -o cat -u mesos-master')));
  expect(logs.join('\n')).toMatch(/gone/i);
  expect((await cluster.healthy()).problems).toEqual([]);
  if (isSoak) await runExample(cluster, lab.host('h1'));
});
