/** The lab itself: what the tests of the installer rely on. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../../src/proc/process-id.ts';
import { fillDisk, freeze, holdDpkgLock, killConnections, shiftClock, silence } from '../../lab/faults.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { CACHE, type Lab, startLab } from '../../lab/lab.ts';
import type { RepositoryLines } from '../../lab/mesos-repository.ts';
import { listLabs } from '../../lab/state.ts';
import { until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';

const APT = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 --no-install-recommends';

let lab: Lab;
let cgroupMounts: string;

beforeAll(async () => {
  cgroupMounts = await mountsOfCgroups();
  const begin = performance.now();
  lab = await startLab({
    hosts: [
      {},
      { login: 'sudo' },
      { login: 'sudo-password' },
      { behind: 'h1' },
      { system: 'ubuntu-22.04', packages: ['docker.io', 'iptables'] },
    ],
    say: (step) => console.log(`lab: ${step}`),
  });
  console.log(`lab: ${lab.hosts.length} hosts up in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
});

afterAll(() => lab?.stop());

async function mountsOfCgroups(): Promise<string> {
  const mounts = await readFile('/proc/mounts', 'utf8');
  return mounts
    .split('\n')
    .filter((line) => / \/sys\/fs\/cgroup[/ ]/.test(line) && !line.includes('/unified'))
    .join('\n');
}

/** The machine's own OpenSSH client with the lab's configuration. */
function ssh(host: string, command: string, options: { input?: string; flags?: string[] } = {}) {
  const args = ['-F', lab.ssh.config, '-o', 'BatchMode=yes', ...(options.flags ?? []), host, command];
  return execa('ssh', args, { reject: false, input: options.input ?? '' });
}

/** The first line that a server on that port answers to what is sent. */
async function ask(address: string, port: number, text: string): Promise<string> {
  const socket = connect(port, address);
  try {
    socket.write(text);
    const [line] = (await once(createInterface(socket), 'line')) as [string];
    return line;
  } finally {
    socket.destroy();
  }
}

/** Adds a repository of the lab to a host. */
async function addRepository(host: LabHost, lines: RepositoryLines): Promise<void> {
  const key = await (await fetch(lines.key)).text();
  const deb = `deb [signed-by=/etc/apt/keyrings/lab.asc] ${lines.debian.replace('{codename}', 'bookworm')}`;
  await host.run('cat >/etc/apt/keyrings/lab.asc', { input: key });
  await host.run('cat >/etc/apt/sources.list.d/lab.list', { input: `${deb}\n` });
}

describe('hosts', () => {
  test('have booted, each with a name, a machine id and a host key of its own', async () => {
    const identities = await Promise.all(
      lab.hosts.map((h) => h.run('systemctl is-system-running; hostname; cat /etc/machine-id')),
    );
    expect(identities.map((text) => text.split('\n').slice(0, 2))).toEqual(
      lab.hosts.map((h) => ['running', h.name]),
    );
    expect(new Set(identities.map((text) => text.split('\n')[2])).size).toBe(lab.hosts.length);
    expect(new Set(lab.hosts.map((h) => h.hostKey)).size).toBe(lab.hosts.length);
  });

  test('have neither Node nor Python, Docker, curl or gpg', async () => {
    const { stdout } = await lab.host('h1').exec('which node python3 docker curl wget gpg; ls /etc/mesos*');
    expect(stdout).toBe('');
  });

  test('leave the machine’s cgroups as they were', async () => {
    expect(await mountsOfCgroups()).toBe(cgroupMounts);
    expect(await lab.host('h1').run('stat -f -c %T /sys/fs/cgroup')).toBe('cgroup2fs');
  });

  test('leave the engine outside able to tell that a container ran out of memory', async () => {
    await makeTestImages();
    const { stdout: id } = await execa('docker', [
      ...['create', '--memory', '16m', '--memory-swap', '16m', BUSYBOX],
      // The shell goes on for a while: Docker may read a container's end before its lack of memory.
      ...['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M; sleep 3'],
    ]);
    try {
      await execa('docker', ['start', '-a', id], { reject: false });
      const { stdout } = await execa('docker', ['inspect', '-f', '{{.State.OOMKilled}}', id]);
      expect(stdout).toBe('true');
    } finally {
      await execa('docker', ['rm', '-f', id]);
    }
  });
});

describe('SSH', () => {
  test('gets in everywhere by the written configuration and known hosts', async () => {
    const answers = await Promise.all(lab.hosts.map((h) => ssh(h.name, 'id -un; hostname')));
    expect(answers.map((a) => a.stdout)).toEqual(lab.hosts.map((h) => `${h.user}\n${h.name}`));
  });

  test('reaches the host behind the bastion only through it', async () => {
    expect(lab.host('h4').bastion).toBe('h1');
    const flags = ['-o', 'ProxyJump=none', '-o', 'ConnectTimeout=2'];
    expect((await ssh('h4', 'true', { flags })).exitCode).toBe(255);
  });

  test('finds sudo that asks for a password, and one that does not', async () => {
    expect((await ssh('h2', 'sudo -n id -u')).stdout).toBe('0');
    expect((await ssh('h3', 'sudo -n id -u')).stderr).toContain('a password is required');
    const { sudoPassword } = lab.host('h3');
    expect((await ssh('h3', "sudo -S -p '' id -u", { input: `${sudoPassword}\n` })).stdout).toBe('0');
    expect((await ssh('h3', "sudo -S -p '' id -u", { input: 'wrong\n' })).stdout).toBe('');
  });

  test('has the os-release of Ubuntu on a host that asks for it', async () => {
    const { stdout } = await ssh('h5', '. /etc/os-release; echo $ID $VERSION_ID $VERSION_CODENAME');
    expect(stdout).toBe('ubuntu 22.04 jammy');
  });
});

describe('packages', () => {
  test('come from the cache, on the host behind the bastion too', async () => {
    const install = `${APT} update && ${APT} install hello && hello`;
    const said = await Promise.all(['h1', 'h4'].map((name) => lab.host(name).run(install)));
    for (const text of said) expect(text).toContain('Hello, world!');
    expect((await stat(path.join(CACHE, 'apt/debian/pool/main/h/hello'))).isDirectory()).toBe(true);
  });

  test('can be there from the first, such as a Docker engine, and images come from this machine', async () => {
    const host = lab.host('h5');
    const image = await ensureRedisImage();
    await loadImage(host, image);
    await host.run(`docker run -d -p 6379:6379 ${image}`);
    const answer = await until('Redis answers', () => ask(host.address, 6379, 'PING\r\n'));
    expect(answer).toBe('+PONG');
    expect(await host.run("docker info -f '{{.Driver}}'")).toBe('overlay2');
  });

  test('with another hash than the list says are refused', async () => {
    const host = lab.host('h2');
    await addRepository(host, lab.mesos().wrongHash);
    const { code, stderr } = await host.exec(`${APT} update && ${APT} install aventer-mesos`);
    expect(code).not.toBe(0);
    expect(stderr).toContain('Hash Sum mismatch');
  });

  test('of a repository whose key has expired are refused', async () => {
    const host = lab.host('h2');
    await addRepository(host, lab.mesos().expired);
    const { stderr } = await host.exec(`${APT} update`);
    expect(stderr).toContain('EXPKEYSIG');
  });
});

describe('the Mesos package', () => {
  const begun = async (host: LabHost) =>
    JSON.parse(
      await host.run(`perl -MIO::Socket -e '
      my $s = IO::Socket::INET->new("${host.address}:5050") or exit 1;
      print $s "GET /slaves HTTP/1.0\\r\\n\\r\\n"; local $/; $_ = <$s>; s/.*?\\r\\n\\r\\n//s; print'`),
    ) as {
      slaves: { active: boolean; attributes: Record<string, string> }[];
    };
  const journal = (host: LabHost, unit: string) => host.run(`journalctl -q -o cat -u ${unit}`);

  test('brings programs and units, and no configuration', async () => {
    const host = lab.host('h1');
    const { version, nextVersion } = lab.mesos();
    await addRepository(host, lab.mesos().good);
    await host.run(`${APT} update && ${APT} install aventer-mesos=${version}`);
    const files = (await host.run('dpkg -L aventer-mesos')).split('\n');
    expect(files).toEqual(
      expect.arrayContaining([
        '/usr/bin/mesos-master',
        '/usr/bin/mesos-agent',
        '/usr/bin/mesos-init-wrapper',
        '/lib/systemd/system/mesos-master.service',
        '/lib/systemd/system/mesos-agent.service',
      ]),
    );
    expect(files.filter((file) => file.startsWith('/etc'))).toEqual([]);
    expect(await host.run('systemctl is-active mesos-master mesos-agent || :')).toBe('inactive\ninactive');
    expect(await host.run('apt-cache policy aventer-mesos')).toContain(`Candidate: ${nextVersion}`);
  });

  test('starts a master and an agent from the files in /etc, and they find each other', async () => {
    const host = lab.host('h1');
    await host.run(`set -e
      mkdir -p /etc/mesos-master /etc/mesos-agent/attributes /var/lib/mesos
      for role in master agent; do
        : >"/etc/mesos-$role/?no-logger"
        echo ${host.address} >/etc/mesos-$role/ip
        echo /var/lib/mesos/$role >/etc/mesos-$role/work_dir
        echo --nonsense >/etc/mesos-$role/flag.dpkg-dist
      done
      : >'/etc/mesos-agent/?no-systemd_enable_support'
      echo posix >/etc/mesos-agent/launcher
      echo MASTER=${host.address}:5050 >/etc/default/mesos-agent
      echo a >/etc/mesos-agent/attributes/rack
      systemctl daemon-reload
      systemctl start mesos-master mesos-agent`);
    const agents = await until('the agent is registered', async () => {
      const { slaves } = await begun(host);
      return slaves.length > 0 && slaves;
    });
    expect(agents).toMatchObject([{ active: true, attributes: { rack: 'a' } }]);
  });

  test('stops at a flag it doesn’t know, even one from a stray file', async () => {
    const host = lab.host('h1');
    await host.run('cp /etc/mesos-agent/ip /etc/mesos-agent/ip.bak; systemctl restart mesos-agent');
    await until('the agent says why', async () =>
      /unknown flag 'ip\.bak'/.test(await journal(host, 'mesos-agent')),
    );
    expect(await host.run('systemctl is-active mesos-agent || :')).not.toBe('active');
    await host.run('rm /etc/mesos-agent/ip.bak');
  });

  test('stops when the agent is no longer the one it was', async () => {
    const host = lab.host('h1');
    await host.run('echo b >/etc/mesos-agent/attributes/rack; systemctl restart mesos-agent');
    await until('the agent says why', async () =>
      /[Ii]ncompatible agent info/.test(await journal(host, 'mesos-agent')),
    );
    await host.run('systemctl stop mesos-agent mesos-master');
  });
});

describe('faults', () => {
  test('another process holds dpkg’s lock until it is let go', async () => {
    const host = lab.host('h2');
    await host.run('rm -f /etc/apt/sources.list.d/lab.list');
    const lock = await holdDpkgLock(host);
    const held = await host.exec(`${APT} install hello`);
    expect(held.stderr).toContain(`held by process ${lock.pid} (unattended-upgr)`);
    await lock.release();
    await host.run(`${APT} update && ${APT} install hello`);
  });

  test('a connection dies and what was started over it lives on', async () => {
    const host = lab.host('h4');
    const held = execa('ssh', ['-F', lab.ssh.config, 'h4', 'setsid sleep 1000 & echo $!; cat'], {
      reject: false,
      stdin: 'pipe',
    });
    const [pid] = (await once(createInterface(held.stdout), 'line')) as [string];
    await killConnections(host);
    expect((await held).exitCode).toBe(255);
    expect(await host.run(`cat /proc/${pid}/cmdline`)).toContain('1000');
    expect((await ssh('h4', `kill ${pid}; echo again`)).stdout).toBe('again');
  });

  test('a disk is full until there is space', async () => {
    const host = lab.host('h2');
    const repair = await fillDisk(host, '/var/cache/apt/archives', 8);
    const write = 'dd if=/dev/zero of=/var/cache/apt/archives/file bs=1k count=64';
    expect((await host.exec(write)).stderr).toContain('No space left on device');
    await repair();
    await host.run(write);
  });

  test('a clock is wrong for date', async () => {
    const host = lab.host('h2');
    const repair = await shiftClock(host, 600);
    const offset = async () => Number((await ssh('h2', 'sudo -n date +%s')).stdout) - Date.now() / 1000;
    expect(await offset()).toBeCloseTo(600, -2);
    await repair();
    expect(await offset()).toBeCloseTo(0, -2);
  });

  test('a network goes and comes', async () => {
    const host = lab.host('h5');
    const flags = ['-o', 'ConnectTimeout=1'];
    await host.disconnect();
    expect((await ssh('h5', 'true', { flags })).exitCode).toBe(255);
    await host.connect();
    expect((await ssh('h5', 'hostname')).stdout).toBe('h5');
    const repair = await silence(host);
    expect((await ssh('h5', 'true', { flags })).exitCode).toBe(255);
    await repair();
    expect((await ssh('h5', 'hostname')).stdout).toBe('h5');
  });

  test('a host stands still, loses its power, and boots again where it was', async () => {
    const host = lab.host('h4');
    const flags = ['-o', 'ConnectTimeout=1'];
    const thaw = await freeze(host);
    expect((await ssh('h4', 'true', { flags })).exitCode).toBe(255);
    await thaw();
    await host.run('echo kept >/root/file');
    await host.kill();
    expect((await ssh('h4', 'true', { flags })).exitCode).toBe(255);
    await host.start();
    expect((await ssh('h4', 'cat /root/file')).stdout).toBe('kept');
  });
});

test('what a killed test left is removed by the next start', async () => {
  const program = `
    const { startLab } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../lab/lab.ts'))});
    const lab = await startLab({ hosts: 1, mesos: false });
    console.log(lab.id);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [id] = (await once(createInterface(child.stdout), 'line')) as [string];
  const mirror = (await listLabs()).find((l) => l.id === id)?.mirror;
  const objects = async () =>
    (await execa('docker', ['ps', '-aq', '--filter', `label=mesosup.lab=${id}`])).stdout;
  expect(await objects()).not.toBe('');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until('the mirror ended with its owner', async () => mirror && !isAlive(mirror));
  await (await startLab({ hosts: [], mesos: false })).stop();
  expect(await objects()).toBe('');
  const left = (await listLabs()).map((l) => l.id);
  expect(left).toContain(lab.id);
  expect(left).not.toContain(id);
});
