/**
 * Hosts for tests: systemd, sshd, apt and room for a Docker engine of their own, as containers on this machine. Each
 * lab has its networks, its keys and a mirror of the distribution's packages; no host needs any other way out.
 */

import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { INIT, mountCgroup2 } from './cgroups.ts';
import { createNetwork, docker, LAB_LABEL, type Network } from './docker.ts';
import { LabHost } from './host.ts';
import { ensureHostImage } from './image.ts';
import { type MachineApt, machineApt, sourcesList, upstreamNames } from './machine-apt.ts';
import { ensureMesosRepository, type MesosPackages } from './mesos-repository.ts';
import { startMirror } from './mirror-process.ts';
import { makeClientKey, makeKey, type Reach, type SshFiles, sshFiles, writeSshFiles } from './ssh-files.ts';
import { createState, type LabState, labDirectory, removeLab, removeLeftovers, saveState } from './state.ts';

/** Kept between labs: downloads. */
export const CACHE = process.env.MESOSUP_LAB_CACHE ?? '/var/cache/mesosup-lab';

/** The password that sudo asks of `ops`. */
const SUDO_PASSWORD = "it's a lab";

/** How one gets in, and to be root. */
export type Login = 'root' | 'sudo' | 'sudo-password';

export interface HostOptions {
  /** `h1`, `h2` … by default. */
  name?: string;
  /** root by key, by default; else the user `ops`, whose sudo asks for a password or doesn't. */
  login?: Login;
  /** The name of another host of the lab: this one is in a second network and reached only through that one. */
  behind?: string;
  /** What /etc/os-release says; the packages stay those of this machine's own distribution. */
  system?: 'ubuntu-22.04';
}

export interface LabOptions {
  /** So many plain hosts, or each as it shall be. */
  hosts: number | readonly HostOptions[];
  /** False leaves out the Mesos packages, which take `npm run build` and some seconds; true by default. */
  mesos?: boolean;
  /** False lets the lab stay up when this process ends. True by default: it is removed, at the latest by the next start. */
  owned?: boolean;
  /** Told each step that takes time. */
  say?: (step: string) => void;
}

export interface Lab extends AsyncDisposable {
  id: string;
  directory: string;
  hosts: LabHost[];
  /** @throws Error for a name that no host has */
  host(name: string): LabHost;
  ssh: SshFiles;
  /** The mirror's base URL, as hosts and this machine reach it. */
  mirrorUrl: string;
  /** The Mesos packages and the repositories they are in. @throws Error in a lab without them */
  mesos(): MesosPackages;
  /** Removes everything but what is cached. */
  stop(): Promise<void>;
}

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

export async function startLab(options: LabOptions): Promise<Lab> {
  const say = options.say ?? (() => {});
  await removeLeftovers();
  const owned = options.owned ?? true;
  const state = await createState(owned);
  try {
    return await start(state, namedHosts(options.hosts), { owned, mesos: options.mesos ?? true, say });
  } catch (error) {
    await removeLab(state.id);
    throw error;
  }
}

type Named = HostOptions & { name: string };

function namedHosts(hosts: LabOptions['hosts']): Named[] {
  const list = typeof hosts === 'number' ? Array.from({ length: hosts }, (): HostOptions => ({})) : hosts;
  return list.map((host, i) => ({ ...host, name: host.name ?? `h${i + 1}` }));
}

async function start(
  state: LabState,
  hosts: readonly Named[],
  { owned, mesos, say }: { owned: boolean; mesos: boolean; say: (step: string) => void },
): Promise<Lab> {
  const directory = labDirectory(state.id);
  const files = sshFiles(directory);
  const [apt, network, clientKey] = await Promise.all([
    machineApt(),
    createNetwork(state.id, `mesosup-lab-${state.id}`),
    makeClientKey(files),
    mountCgroup2(),
  ]);
  const inner = hosts.some((h) => h.behind !== undefined)
    ? await createNetwork(state.id, `mesosup-lab-${state.id}-inner`)
    : undefined;
  const upstreams = upstreamNames(apt.suites);
  const served = path.join(directory, 'mesos');
  const mirror = await startMirror({
    address: network.gateway,
    log: path.join(directory, 'mirror.log'),
    untilWeEnd: owned,
    options: {
      cache: path.join(CACHE, 'apt'),
      upstreams: Object.fromEntries([...upstreams].map(([uri, name]) => [name, uri])),
      directories: { mesos: served },
    },
  });
  await saveState({ ...state, mirror: mirror.process });
  const main = apt.suites.find((s) => s.suite === apt.codename)?.uri ?? '';
  const work = path.join(directory, 'image');
  await mkdir(work);
  const image = await ensureHostImage(apt, `${mirror.url}/${upstreams.get(main)}`, work, say);
  say(`starting ${hosts.length} hosts`);
  const ground = {
    labId: state.id,
    directory,
    network,
    inner,
    image,
    clientKey,
    apt,
    mirror: mirror.url,
  };
  const [repository, ...started] = await Promise.all([
    mesos ? ensureMesosRepository(apt.codename, CACHE) : undefined,
    ...hosts.map((host, i) => startHost(ground, host, i)),
  ]);
  if (repository) await symlink(repository.directory, served);
  await writeSshFiles(
    files,
    started.map((h) => ({ ...h, ...(h.bastion === undefined ? {} : { jump: h.bastion }) })),
  );
  return {
    id: state.id,
    directory,
    hosts: started,
    host: (name) => {
      const host = started.find((h) => h.name === name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    ssh: files,
    mirrorUrl: mirror.url,
    mesos: () => {
      if (!repository) throw new Error('this lab was started without Mesos packages');
      return repository.at(`${mirror.url}/mesos`);
    },
    stop: () => removeLab(state.id),
    [Symbol.asyncDispose]: () => removeLab(state.id),
  };
}

/** What all hosts of a lab have in common. */
interface Ground {
  labId: string;
  directory: string;
  network: Network;
  inner: Network | undefined;
  image: string;
  clientKey: string;
  apt: MachineApt;
  mirror: string;
}

const FIRST_ADDRESS = 11;

async function startHost(ground: Ground, host: Named, index: number): Promise<LabHost> {
  const network = host.behind !== undefined && ground.inner ? ground.inner : ground.network;
  const login = host.login ?? 'root';
  const container = `mesosup-lab-${ground.labId}-${host.name}`;
  const tree = path.join(ground.directory, 'hosts', host.name);
  const hostKey = await writeTree(tree, ground, host);
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
    ground.image,
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
  // Docker's machine is in all its networks; a host behind a bastion must not answer it.
  const afterBoot = host.behind === undefined ? ':' : `ip route add unreachable ${network.gateway}/32`;
  const sudoPassword = login === 'sudo-password' ? SUDO_PASSWORD : undefined;
  const result = new LabHost(reach, { container, network: network.name, sudoPassword, afterBoot });
  await result.booted();
  if (login !== 'root') await addUser(result, login, ground.clientKey);
  return result;
}

function containerFlags(
  ground: Ground,
  name: string,
  container: string,
  network: string,
  address: string,
): string[] {
  // Not --privileged: where the machine itself lacks a capability, that fails.
  return [
    ...['--name', container, '--hostname', name, '--label', `${LAB_LABEL}=${ground.labId}`],
    ...['--network', network, '--ip', address, '--network-alias', name],
    ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE'],
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
    '--cgroupns=private',
    // A volume, so that the inner engine finds a file system that overlays can lie on.
    ...['-v', `${container}-docker:/var/lib/docker`],
    ...['-e', 'container=docker', '--stop-signal', 'SIGRTMIN+3', '-t'],
  ];
}

/** What is this host's own in its file system. @returns its public host key */
async function writeTree(tree: string, ground: Ground, host: Named): Promise<string> {
  const put = async (name: string, content: string, mode = 0o644) => {
    const file = path.join(tree, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content);
    await chmod(file, mode);
  };
  await mkdir(path.join(tree, 'usr/lib'), { recursive: true });
  await mkdir(path.join(tree, 'root'), { mode: 0o700 });
  await put('etc/apt/sources.list', sourcesList(ground.apt.suites, ground.mirror));
  if (host.system === 'ubuntu-22.04') await put('usr/lib/os-release', UBUNTU_22_04);
  if ((host.login ?? 'root') === 'root') {
    await mkdir(path.join(tree, 'root/.ssh'), { mode: 0o700 });
    await put('root/.ssh/authorized_keys', `${ground.clientKey}\n`, 0o600);
  }
  await mkdir(path.join(tree, 'etc/ssh'), { recursive: true });
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
