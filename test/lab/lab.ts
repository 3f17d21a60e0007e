/**
 * Hosts for tests: systemd, sshd, apt and room for a Docker engine of their own, as containers on this machine. Each
 * lab has its networks, its keys and a mirror of the distribution's packages; no host needs any other way out.
 */

import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { ensureBases } from './bases.ts';
import { mountCgroup2 } from './cgroups.ts';
import { ensureImageWith } from './derived-image.ts';
import { createNetwork } from './docker.ts';
import type { LabHost } from './host.ts';
import { raiseInotifyLimit } from './inotify.ts';
import { machineApt, upstreamNames } from './machine-apt.ts';
import { ensureMesosRepository, type MesosPackages } from './mesos-repository.ts';
import { startMirror } from './mirror-process.ts';
import { makeClientKey, type SshFiles, sshFiles, writeSshFiles } from './ssh-files.ts';
import { type Base, type Ground, type HostOptions, type NamedHost, startHost } from './start-host.ts';
import { createState, type LabState, labDirectory, removeLab, removeLeftovers, saveState } from './state.ts';

/** Downloads, kept between labs. */
export const CACHE = process.env.MESOSUP_LAB_CACHE ?? '/var/cache/mesosup-lab';

export interface LabOptions {
  /** Number of plain hosts, or the options of each host. */
  hosts: number | readonly HostOptions[];
  /** False omits the Mesos packages, which need `npm run build` and some seconds; defaults to true. */
  mesos?: boolean;
  /**
   * False lets the lab stay up when this process ends. True by default: it is removed, at the latest by the next start.
   */
  owned?: boolean;
  /** Called before each slow step. */
  say?: (step: string) => void;
}

export interface Lab extends AsyncDisposable {
  id: string;
  directory: string;
  hosts: LabHost[];
  /** @throws Error for an unknown name */
  host(name: string): LabHost;
  ssh: SshFiles;
  /** The mirror's base URL for hosts and this machine. */
  mirrorUrl: string;
  /** The Mesos packages and the repositories they are in. @throws Error in a lab without them */
  mesos(): MesosPackages;
  /** Removes everything except the caches. */
  stop(): Promise<void>;
}

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

function namedHosts(hosts: LabOptions['hosts']): NamedHost[] {
  const list = typeof hosts === 'number' ? Array.from({ length: hosts }, (): HostOptions => ({})) : hosts;
  return list.map((host, i) => ({ ...host, name: host.name ?? `h${i + 1}` }));
}

async function start(
  state: LabState,
  hosts: readonly NamedHost[],
  { owned, mesos, say }: { owned: boolean; mesos: boolean; say: (step: string) => void },
): Promise<Lab> {
  const directory = labDirectory(state.id);
  const files = sshFiles(directory);
  const [apt, network, clientKey] = await Promise.all([
    machineApt(),
    createNetwork(state.id, `mesosup-lab-${state.id}`),
    makeClientKey(files),
    mountCgroup2(),
    raiseInotifyLimit(),
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
  const work = path.join(directory, 'image');
  await mkdir(work);
  const ground = { labId: state.id, directory, network, inner, clientKey, upstreams, mirror: mirror.url };
  const baseOf = await ensureBases(ground, apt, hosts, work, say);
  const bases = await withPackages(ground, baseOf, hosts, say);
  say(`starting ${hosts.length} hosts`);
  const [repository, ...started] = await Promise.all([
    mesos ? ensureMesosRepository(CACHE) : undefined,
    ...hosts.map((host, i) => startHost(ground, bases[i] ?? baseOf(host), host, i)),
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

/** The base of each host, with its packages in the image. */
async function withPackages(
  ground: Ground,
  baseOf: (host: HostOptions) => Base,
  hosts: readonly NamedHost[],
  say: (step: string) => void,
): Promise<Base[]> {
  const bases: Base[] = [];
  for (const host of hosts) {
    const base = baseOf(host);
    const { packages = [] } = host;
    const image = packages.length === 0 ? base.image : await ensureImageWith(ground, base, packages, say);
    bases.push({ ...base, image });
  }
  return bases;
}
