/** Reports of the installer's commands about hosts with problems: real hosts, which are not changed. */

import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { Hosts } from '../../../src/hosts/connect.ts';
import { acquireClusterLock } from '../../../src/install/edge/cluster-lock.ts';
import type { NodeRow } from '../../../src/install/node-rows.ts';
import type { HostOutput } from '../../../src/install/operations/exec-on-hosts.ts';
import type { Plan, Problem } from '../../../src/install/plan.ts';
import { fileWord, madePackage, makeLine } from '../../../src/install/resources/package.ts';
import type { ClusterStatus } from '../../../src/install/status.ts';
import type { PlanSummary } from '../../../src/install/summary.ts';
import { login, scripts } from '../../install/hosts.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { root, typed } from '../demo-cluster.ts';
import { stylesOf } from '../support/colours.ts';

const program = path.join(root, 'bin/mesosup');
let lab: Lab;
let plain: LabHost;
let guarded: LabHost;
let directory: string;

beforeAll(async () => {
  // apt takes long to simulate the installation of all packages, so only one host lacks them.
  const hosts = [
    {},
    { login: 'sudo-password', packages: MEMBER_PACKAGES },
    { packages: MEMBER_PACKAGES },
  ] as const;
  lab = await startLab({ hosts, mesos: false });
  plain = lab.host('h1');
  guarded = lab.host('h2');
  // Else each plan would download and unpack the lists of packages.
  await Promise.all(lab.hosts.map((host) => host.run('apt-get update -qq')));
}, 300_000);
afterAll(() => lab?.stop());

beforeEach(async () => {
  directory = path.join(lab.directory, 'commands');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await file('password', `${guarded.sudoPassword}\n`);
});

const at = (name: string) => path.join(directory, name);
const file = (name: string, text: string) => writeFile(at(name), text, { mode: 0o600 });
const spec = (hosts: unknown[]) => file('cluster.yaml', stringify({ name: 'lab', hosts }));
const all = ['h1', 'h2', 'h3'];

/** Runs mesosup with the options that reach the lab's hosts. Arguments come last, and override them. */
async function mesosup(command: string, ...given: string[]) {
  const { config, knownHosts } = lab.ssh;
  const usual: Record<string, string> = {
    '--ssh-config': config,
    '--known-hosts': knownHosts,
    '--sudo-password-file': at('password'),
    '--state': at('state'),
  };
  // Words after -- belong to another program.
  const own = given.includes('--') ? given.slice(0, given.indexOf('--')) : given;
  const topic = command === 'node' ? own.splice(0, 1) : [];
  const args = own.concat(given.slice(own.length + topic.length));
  const flags = Object.entries(usual).flatMap(([flag, value]) => (own.includes(flag) ? [] : [flag, value]));
  const result = await execa(program, [command, ...topic, ...flags, ...args], {
    cwd: directory,
    reject: false,
    stdin: 'ignore',
    all: true,
  });
  return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr, all: result.all };
}

/** No host has files of mesosup. */
async function expectUntouched(): Promise<void> {
  for (const host of lab.hosts) {
    const seen = await host.run('ls -d /var/lib/mesosup /opt/mesosup /etc/mesosup 2>/dev/null; true');
    expect({ host: host.name, seen }).toEqual({ host: host.name, seen: '' });
  }
}

test('plan exits with 3, prints one object with --json, and leaves no files on either side', async () => {
  await spec(all);
  const { code, stdout } = await mesosup('plan', '--json');
  expect(code).toBe(3);
  const { plan } = JSON.parse(stdout) as { plan: Plan };
  expect(plan.hosts.map(({ host }) => host)).toEqual(all);
  expect(await readdir(directory)).toEqual(['cluster.yaml', 'password']);
  await expectUntouched();
});

test('a saved plan is readable by its owner only, contains no secret, and is for its own version only', async () => {
  await spec(all);
  const saved = await mesosup('plan', '--out', 'plan.json', '--brief');
  expect(saved.code, saved.all).toBe(3);
  expect((await stat(at('plan.json'))).mode & 0o777).toBe(0o600);
  const text = await readFile(at('plan.json'), 'utf8');
  const secrets = JSON.parse(await readFile(at('state/secrets.json'), 'utf8')) as Record<string, string>;
  for (const secret of Object.values(secrets)) expect(text.includes(secret)).toBe(false);

  const other = JSON.parse(text) as { plan: { version: string } };
  other.plan.version = '0.0.1';
  await file('other.json', JSON.stringify(other));
  const refused = await mesosup('install', 'other.json', '--yes');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('made by mesosup 0.0.1');

  await plain.run('mkdir -p /etc/mesos-agent && echo 1 >/etc/mesos-agent/quiet');
  try {
    const drifted = await mesosup('install', 'plan.json', '--yes');
    expect(drifted.code).toBe(1);
    expect(drifted.stderr).toMatch(/h1: .*\/etc\/mesos-agent/);
    expect(drifted.stderr).not.toMatch(/h[23]:/);
    expect(drifted.stderr).toContain('Nothing was changed.');
  } finally {
    await plain.run('rm -r /etc/mesos-agent');
  }
  expect((await mesosup('install', 'cluster.yaml')).code).toBe(2);
  expect((await mesosup('install', 'plan.json', '--local')).code).toBe(2);
  await expectUntouched();
});

test('changes nothing without a terminal and without --yes', async () => {
  await spec(all);
  const { code, stderr, stdout } = await mesosup('install');
  expect(code, stderr).toBe(2);
  expect(stderr).toContain('--yes');
  expect(stdout).toContain('changes on 3 of 3 hosts');
  // The summary; every change is shown only with --diff.
  expect(stdout).toMatch(
    /^HOST {2}ADDRESS +CHANGES {2}ROLES\nh1 +[\d.]+ +\d+ +zookeeper, master, scheduler, agent$/m,
  );
  expect(stdout).toMatch(/^Packages: \d+ to install on all hosts together; at least \d+ MB to download$/m);
  expect(stdout).toMatch(/^Copied: {3}\d+ MB from this machine to h1, h2, h3$/m);
  expect(stdout).toMatch(
    /^Time: {5}about \d+ min if each host downloads 10 MB\/s, without downloads of unknown size$/m,
  );
  expect(stdout).not.toContain('package docker.io: install');
  console.log(stdout);
  const full = await mesosup('install', '--diff');
  expect(full.stdout).toMatch(/\+ package docker\.io: install\n[\s\S]*\n {6}\+/);
  expect(full.stdout).toContain(stdout.slice(stdout.indexOf('Packages:')).trimEnd());
  await expectUntouched();
});

test('knows the size of the download from apt, and that the one of a missing package is unknown', async () => {
  await spec(['h1']);
  const { stdout } = await mesosup('plan', '--json');
  const { plan, summary } = JSON.parse(stdout) as { plan: Plan; summary: PlanSummary };
  const packages = (plan.hosts[0]?.items ?? []).flatMap(({ resource }) =>
    // No repository of this lab has Mesos.
    resource?.kind === 'package' && resource.name !== 'aventer-mesos' ? [resource] : [],
  );
  const made = packages.flatMap((one) => madePackage(one) ?? []);
  const words = packages.map(({ name, file }) => (file ? fileWord(name) : name));
  // apt asks before it downloads, and prints the size with three digits.
  const asked = await plain.run(
    [
      'dir=$(mktemp -d)',
      scripts['apt.sh'],
      ...made.map(makeLine),
      'apt-get update -qq',
      `apt-get install --no-install-recommends --assume-no ${words.join(' ')} || :`,
    ].join('\n'),
  );
  const [, number = '', unit = ''] =
    /Need to get (?:[\d.,]+ \wB\/)?([\d.,]+) (\w)B of archives/.exec(asked) ?? [];
  const bytes = Number(number.replace(',', '')) * (unit === 'M' ? 1e6 : 1e3);
  expect(bytes, asked).toBeGreaterThan(0);
  expect(summary.downloadBytes).toBeGreaterThan(bytes * 0.99);
  expect(summary.downloadBytes).toBeLessThan(bytes * 1.01);
  expect(summary.isDownloadKnown).toBe(false);
});

test('a plan ends with the next command, which repeats its flags', async () => {
  await spec(['h1']);
  const { stdout } = await mesosup('plan', '--start', '--brief');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    `Next: mesosup install --start --ssh-config ${lab.ssh.config} --known-hosts ${lab.ssh.knownHosts} --sudo-password-file ${at('password')} --state ${at('state')}`,
  );
  const listed = await mesosup('plan');
  expect(listed.stdout).toContain('package docker.io: install');
  expect(listed.stdout).not.toMatch(/^ {6}\+/m);
  expect((await mesosup('plan', '--diff')).stdout).toMatch(/^ {6}\+/m);
});

test('changes nothing when the user declines; Ctrl-C at the question exits with 130', async () => {
  await spec(all);
  const { config, knownHosts } = lab.ssh;
  const command = `cd ${directory} && ${program} install --state ${at('state')} --ssh-config ${config} --known-hosts ${knownHosts} --sudo-password-file ${at('password')}; echo "exit $?"`;
  const declined = await typed(command, [
    { prompt: 'changes on 3 hosts?', answer: 'n\r' },
    { prompt: 'exit ', answer: '' },
  ]);
  expect(declined).toContain('Nothing was changed.');
  expect(declined).toContain('exit 1');
  const interrupted = await typed(command, [
    { prompt: 'changes on 3 hosts?', answer: '\u0003' },
    { prompt: 'exit ', answer: '' },
  ]);
  expect(interrupted).toContain('exit 130');
  await expectUntouched();
});

test('with --no-input asks nothing in a terminal, and names the flag that answers', async () => {
  await spec(['h2']);
  const { config, knownHosts } = lab.ssh;
  const reach = `--no-input --state ${at('state')} --ssh-config ${config} --known-hosts ${knownHosts}`;
  const run = (line: string) =>
    typed(`cd ${directory} && ${program} ${line} ${reach}; echo "exit $?"`, [
      { prompt: 'exit ', answer: '' },
    ]);
  const changing = await run(`install --sudo-password-file ${at('password')}`);
  expect(changing).toContain('add --yes');
  expect(changing).toContain('exit 2');
  const locked = await run('plan');
  expect(locked).toContain('(--sudo-password-file)');
  expect(locked).toContain('exit 1');
  const contrary = await run('plan --ask-sudo-password');
  expect(contrary).toContain('--sudo-password-file');
  expect(contrary).toContain('exit 1');
  await expectUntouched();
});

test('a plan has colours in a terminal, and none with NO_COLOR', async () => {
  await spec(['h1']);
  const { config, knownHosts } = lab.ssh;
  const command = `cd ${directory} && ${program} plan --state ${at('state')} --ssh-config ${config} --known-hosts ${knownHosts}`;
  expect((await stylesOf(command)).length).toBeGreaterThan(0);
  expect(await stylesOf(command, { NO_COLOR: '1' })).toEqual([]);
});

test('reports all hosts with errors at once, each with its remedy, and uses the other hosts', async () => {
  await spec([
    ...all.slice(0, 2),
    { name: 'nowhere', address: '127.0.0.1', ssh: { port: 9 } },
    { name: 'stranger', address: lab.host('h3').address, ssh: { user: 'nobody-here' } },
  ]);
  await file('known', '');
  await file('password', 'wrong\n');
  const { code, stdout } = await mesosup('plan', '--json');
  expect(code).toBe(1);
  const failed = JSON.parse(stdout) as { error: { message: string; problems: Problem[] } };
  expect(failed.error.problems.map(({ host }) => host).sort()).toEqual(
    expect.arrayContaining(['h2', 'nowhere', 'stranger']),
  );
  for (const { remedy } of failed.error.problems) {
    expect(remedy).not.toBe('');
    // Each error is printed once, and so is its remedy.
    expect(failed.error.message.split(remedy)).toHaveLength(2);
  }
  for (const host of ['h2', 'nowhere', 'stranger']) expect(failed.error.message).toContain(`✖ ${host}`);
  expect(failed.error.message).toContain('Nothing was changed: only 1 of 3 ZooKeeper hosts are usable');

  await file('password', `${guarded.sudoPassword}\n`);
  const rest = await mesosup('plan', '--json');
  expect(rest.code).toBe(1);
  const { plan, problems } = JSON.parse(rest.stdout) as { plan: Plan; problems: Problem[] };
  expect(plan.hosts.map(({ host }) => host)).toEqual(['h1', 'h2']);
  expect(problems.filter((p) => p.severity === 'error').map(({ host, check }) => [host, check])).toEqual([
    ['nowhere', 'unreachable'],
    ['stranger', 'authentication'],
  ]);
  for (const { remedy } of problems) expect(remedy).not.toBe('');
});

test('refuses an unknown host key, and names the flag that accepts it', async () => {
  await spec(['h1']);
  const known = ['--known-hosts', at('known')];
  const refused = await mesosup('plan', ...known);
  expect(refused.code).toBe(1);
  expect(refused.all).toMatch(/h1: its host key is unknown: \S+ SHA256:/);
  const accepted = await mesosup('plan', ...known, '--accept-new-host-keys', '--brief');
  expect(accepted.code, accepted.all).toBe(3);
  expect((await mesosup('plan', ...known, '--brief')).code).toBe(3);
});

test("without sudo's password, reports the host and asks no pointless question", async () => {
  await spec(['h2']);
  const { config, knownHosts } = lab.ssh;
  const flags = ['--ssh-config', config, '--known-hosts', knownHosts, '--state', at('state')];
  const result = await execa(program, ['plan', ...flags], { cwd: directory, reject: false, stdin: 'ignore' });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain('h2');
  const shown = await typed(`cd ${directory} && ${program} plan --brief ${flags.join(' ')}; echo "exit $?"`, [
    { prompt: 'sudo password for ops on h2', answer: `${guarded.sudoPassword}\r` },
    { prompt: 'exit ', answer: '' },
  ]);
  expect(shown).toContain('exit 3');
  expect(shown).not.toContain(guarded.sudoPassword);
});

test('refuses secrets that other users can read before it connects to any host', async () => {
  await spec(all);
  await mesosup('plan', '--out', 'plan.json');
  await chmod(at('state/secrets.json'), 0o644);
  const { code, stderr } = await mesosup('status');
  expect(code).toBe(1);
  expect(stderr).toContain(`→ Run: chmod 600 ${at('state/secrets.json')}`);
});

test('does not change a cluster whose secrets are on another machine', async () => {
  await spec(all);
  await plain.run('mkdir -p /var/lib/mesosup && echo lab >/var/lib/mesosup/cluster');
  try {
    const { code, stderr } = await mesosup('install', '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('h1 already belongs to the cluster lab');
    expect(stderr).toContain('scp');
    expect(await readdir(directory)).toEqual(['cluster.yaml', 'password']);
  } finally {
    await plain.run('rm -r /var/lib/mesosup');
  }
});

test('names the holder of the lock, and changes nothing', async () => {
  await spec(['h1', 'h3']);
  const { config, knownHosts } = lab.ssh;
  const hosts = new Hosts(login, { configFile: config, knownHosts });
  const lock = await acquireClusterLock(
    hosts.open({ name: 'h1', address: 'h1', connection: { kind: 'ssh' } }),
    scripts,
    'ann@desk (7)',
  );
  try {
    const { code, all: said } = await mesosup('install', '--yes');
    expect(code, said).toBe(1);
    expect(said).toContain('the cluster is locked on h1 by ann@desk (7)');
    await expectUntouched();
  } finally {
    await lock.release();
    await hosts.close();
  }
});

test('status of bare hosts shows that nothing is installed, and exits with 1', async () => {
  await spec(all);
  const { code, stdout } = await mesosup('status', '--json');
  expect(code).toBe(1);
  const status = JSON.parse(stdout) as ClusterStatus;
  expect(status.hosts.map(({ host, state }) => [host, state])).toEqual(all.map((h) => [h, 'absent']));
  for (const { drift } of status.hosts) expect(drift).toBeGreaterThan(0);
  expect((await mesosup('status')).stdout).toMatch(/^h1 .*not installed/m);
});

test('uninstall of bare hosts has nothing to do', async () => {
  await spec(all);
  const { code, stdout } = await mesosup('uninstall', '--yes');
  expect(code).toBe(0);
  expect(stdout).toContain('no changes on 3 hosts');
});

test('node exec runs a program as root on all chosen hosts, and no shell reads its words', async () => {
  await spec(all);
  const words = ["it's $HOME", '`id`', 'a\nb', '*', 'A=1', '--json', 'node', '--'];
  const { code, stdout } = await mesosup('node', 'exec', '--json', '--', 'printf', '%s\\n', ...words);
  expect(code, stdout).toBe(0);
  const { hosts } = JSON.parse(stdout) as { hosts: HostOutput[] };
  expect(hosts.map(({ host, code, stdout }) => ({ host, code, stdout }))).toEqual(
    all.map((host) => ({ host, code: 0, stdout: `${words.join('\n')}\n` })),
  );
  const script =
    'id -un; echo oops >&2; [ "$(hostname)" != h2 ] || exit 3; [ "$(hostname)" != h3 ] || kill -9 $$';
  const some = await mesosup('node', 'exec', '--role', 'agent', '--host', 'h2,h3', '--', 'sh', '-c', script);
  expect(some.code).toBe(1);
  expect(some.stdout.split('\n').sort()).toEqual(['h2 | root', 'h3 | root']);
  expect(some.stderr.split('\n').sort()).toEqual([
    'h2 | oops',
    'h3 | oops',
    '✖ h2: exit code 3',
    expect.stringMatching(/^✖ h3: ended by (SIG)?KILL$/),
  ]);
});

test('node exec names unreachable hosts, and runs on the others', async () => {
  await spec(['h1', { name: 'nowhere', address: '127.0.0.1', ssh: { port: 9 } }]);
  const { code, stdout, stderr } = await mesosup('node', 'exec', '--', 'hostname');
  expect(code).toBe(1);
  expect(stdout).toBe('h1      | h1');
  expect(stderr).toMatch(/^✖ nowhere: no SSH server is listening.*\n {2}→ /);
  const unknown = await mesosup('node', 'exec', '--host', 'h11', '--', 'hostname');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean "h1"?')]);
  expect((await mesosup('node', 'exec')).stderr).toContain('name a command after --');
});

test('node ssh opens a shell as the login user, or runs a command, and exits with its code', async () => {
  await spec(all);
  const ran = await mesosup('node', 'ssh', 'h2', '--', 'printf', '%s.', "it's", '$HOME', 'a b');
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, "it's.$HOME.a b.", '']);
  const { config, knownHosts } = lab.ssh;
  const flags = `--ssh-config ${config} --known-hosts ${knownHosts} --state ${at('state')}`;
  const shown = await typed(`cd ${directory} && ${program} node ssh h2 ${flags}; echo "exit $?"`, [
    { prompt: '$ ', answer: 'id -un; tty; exit 7\r' },
    { prompt: 'exit 7', answer: '' },
  ]);
  expect(shown).toMatch(/ops\r?\n\/dev\/pts\//);
  // An unknown host key is refused, as by every other command.
  await file('known', '');
  const refused = await mesosup('node', 'ssh', 'h1', '--known-hosts', at('known'), '--', 'true');
  expect([refused.code, refused.stderr]).toEqual([
    255,
    expect.stringContaining('Host key verification failed'),
  ]);
});

test('node list shows the hosts, also the unreachable ones', async () => {
  await spec(['h1', { name: 'nowhere', address: '127.0.0.1', ssh: { port: 9 } }]);
  const { code, stdout, stderr } = await mesosup('node', 'list');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^h1 .* not installed/m);
  expect(stdout).toMatch(/^nowhere .* unreachable/m);
  expect(stderr).toContain('nowhere: ');
  const rows = JSON.parse((await mesosup('node', 'list', '-o', 'json')).stdout) as NodeRow[];
  expect(rows.map(({ host, state, address }) => [host, state, address])).toEqual([
    ['h1', 'absent', lab.host('h1').address],
    ['nowhere', 'unreachable', '127.0.0.1'],
  ]);
});

test('the log of --verbose contains all scripts, readable by its owner only', async () => {
  await spec(['h1']);
  const { stderr } = await mesosup('plan', '--verbose', '--brief');
  const log = /The log is in (\S+)/.exec(stderr)?.[1] ?? '';
  expect((await stat(log)).mode & 0o777).toBe(0o600);
  expect(await readFile(log, 'utf8')).toContain('h1: runs:');
});
