/** Starts a host: a container from the image, with files for this host. */

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { DebianName } from './bases.ts';
import { INIT } from './cgroups.ts';
import { docker, LAB_LABEL, type Network } from './docker.ts';
import { LabHost } from './host.ts';
import { type Release, sourcesList } from './machine-apt.ts';
import { makeKey, type Reach } from './ssh-files.ts';

/** A program of this machine to use as /bin/sh on all hosts, for example /bin/busybox. */
const SHELL = process.env.MESOSUP_TEST_SHELL;

/** The password of `ops` for sudo. */
const SUDO_PASSWORD = "it's a lab";

/** The login and the way to become root. */
export type Login = 'root' | 'sudo' | 'sudo-password';

export interface HostOptions {
  /** `h1`, `h2` … by default. */
  name?: string;
  /** root with a key by default; or the user `ops`, with or without a password for sudo. */
  login?: Login;
  /** The name of a bastion in the lab: this host is in a second network, and reachable only through it. */
  behind?: string;
  /**
   * This machine's own release by default. `ubuntu-22.04` is what /etc/os-release says then; the packages stay those
   * of this machine's distribution.
   */
  system?: DebianName | 'ubuntu-22.04';
  /** Preinstalled packages of the distribution, in a derived image. */
  packages?: readonly string[];
}

export type NamedHost = HostOptions & { name: string };

const UBUNTU_22_04 = [
  'PRETTY_NAME="Ubuntu 22.04.5 LTS"',
  'NAME="Ubuntu"',
  'VERSION_ID="22.04"',
  'VERSION="22.04.5 LTS (Jammy Jellyfish)"',
  'VERSION_CODENAME=jammy',
  'ID=ubuntu',
  'ID_LIKE=debian',
  'UBUNTU_CODENAME=jammy',
  '',
].join('\n');

/** The base of a host: a release and its image. */
export interface Base extends Release {
  image: string;
}

/** Settings of all hosts of a lab. */
export interface Ground {
  labId: string;
  directory: string;
  network: Network;
  inner: Network | undefined;
  clientKey: string;
  /** The path of each upstream of packages on the mirror. */
  upstreams: ReadonlyMap<string, string>;
  mirror: string;
}

const FIRST_ADDRESS = 11;

/** @param index tells the addresses of a lab's hosts apart */
export async function startHost(
  ground: Ground,
  base: Base,
  host: NamedHost,
  index: number,
): Promise<LabHost> {
  const network = host.behind !== undefined && ground.inner ? ground.inner : ground.network;
  const login = host.login ?? 'root';
  const container = `mesosup-lab-${ground.labId}-${host.name}`;
  const tree = path.join(ground.directory, 'hosts', host.name);
  const hostKey = await writeTree(tree, ground, base, host);
  const reach: Reach = {
    name: host.name,
    address: `${network.prefix}.${FIRST_ADDRESS + index}`,
    user: login === 'root' ? 'root' : 'ops',
    hostKey,
    ...(host.behind === undefined ? {} : { jump: host.behind }),
  };
  const volume = `${container}-docker`;
  const label = `${LAB_LABEL}=${ground.labId}`;
  await docker('volume', 'create', '--label', label, volume);
  await docker(
    'create',
    ...containerFlags(ground, host.name, container, network.name, reach.address),
    base.image,
    ...INIT,
  );
  await execa('tar', ['-C', tree, '--owner=0', '--group=0', '-c', 'etc', 'root', 'usr'], {
    buffer: false,
  }).pipe('docker', ['cp', '-', `${container}:/`]);
  if (ground.inner && host.behind === undefined) {
    await docker(
      'network',
      'connect',
      '--ip',
      `${ground.inner.prefix}.${FIRST_ADDRESS + index}`,
      ground.inner.name,
      container,
    );
  }
  await docker('start', container);
  if (SHELL) await replaceShell(container, SHELL);
  // This machine is in all of Docker's networks; a host behind a bastion must not answer it.
  const afterBoot = host.behind === undefined ? ':' : `ip route add unreachable ${network.gateway}/32`;
  const sudoPassword = login === 'sudo-password' ? SUDO_PASSWORD : undefined;
  const result = new LabHost(reach, { container, network: network.name, sudoPassword, afterBoot });
  await result.booted();
  if (login !== 'root') await addUser(result, login, ground.clientKey);
  return result;
}

async function replaceShell(container: string, shell: string): Promise<void> {
  await docker('cp', '--follow-link', shell, `${container}:/bin/lab-sh`);
  await docker('exec', container, 'ln', '-sf', 'lab-sh', '/bin/sh');
}

function containerFlags(
  ground: Ground,
  name: string,
  container: string,
  network: string,
  address: string,
): string[] {
  // Not --privileged, which fails if the machine itself lacks a capability.
  return [
    ...['--name', container, '--hostname', name, '--label', `${LAB_LABEL}=${ground.labId}`],
    ...['--network', network, '--ip', address, '--network-alias', name],
    ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE'],
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
    '--cgroupns=private',
    // A volume, so that the inner engine has a file system that supports overlays.
    ...['-v', `${container}-docker:/var/lib/docker`],
    ...['-e', 'container=docker', '--stop-signal', 'SIGRTMIN+3', '-t'],
  ];
}

/** Writes the files of this host. @returns its public host key */
async function writeTree(tree: string, ground: Ground, base: Base, host: NamedHost): Promise<string> {
  const put = async (name: string, content: string, mode = 0o644) => {
    const file = path.join(tree, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content);
    await chmod(file, mode);
  };
  await mkdir(path.join(tree, 'usr/lib'), { recursive: true });
  await mkdir(path.join(tree, 'root'), { mode: 0o700 });
  await put('etc/apt/sources.list', sourcesList(base.suites, ground.upstreams, ground.mirror));
  if (host.system === 'ubuntu-22.04') await put('usr/lib/os-release', UBUNTU_22_04);
  if ((host.login ?? 'root') === 'root') {
    await mkdir(path.join(tree, 'root/.ssh'), { mode: 0o700 });
    await put('root/.ssh/authorized_keys', `${ground.clientKey}\n`, 0o600);
  }
  // Logs each session, so that tests can count what a command does on a host.
  await put('etc/ssh/sshd_config.d/lab.conf', 'LogLevel VERBOSE\n');
  return makeKey(path.join(tree, 'etc/ssh/ssh_host_ed25519_key'), host.name);
}

async function addUser(host: LabHost, login: Login, clientKey: string): Promise<void> {
  const sudo =
    login === 'sudo'
      ? "umask 226; echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops"
      : 'usermod -aG sudo ops; chpasswd';
  const key = `install -d -m 700 -o ops -g ops /home/ops/.ssh
    echo '${clientKey}' >/home/ops/.ssh/authorized_keys
    chown ops:ops /home/ops/.ssh/authorized_keys; chmod 600 /home/ops/.ssh/authorized_keys`;
  await host.run(`set -e; useradd -m -s /bin/bash ops; ${key}; ${sudo}`, {
    input: login === 'sudo' ? '' : `ops:${SUDO_PASSWORD}\n`,
  });
}
