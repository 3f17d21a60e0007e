/** Where a host's Mesos keeps its binaries, services and configuration: it depends on who made the package. */

import type { Cluster, MesosSource } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import { installedPackage } from './package-state.ts';
import type { Targets } from './probe-targets.ts';
import { parseDebName } from './versions.ts';

export interface MesosLayout {
  /**
   * `clusterd` and `legacy`: the package's wrapper makes flags of the files in a directory. `own`: there is no
   * wrapper, so units of ours read MESOS_ variables.
   */
  readonly kind: 'clusterd' | 'legacy' | 'own';
  readonly master: MesosService;
  readonly agent: MesosService;
}

export interface MesosService {
  /** The init system's name for it. */
  readonly service: string;
  /** Each file in it is a flag. */
  readonly flags: string;
  /** Sourced by the wrapper, or by our own unit. */
  readonly defaults: string;
  readonly program: string;
}

export const CLUSTERD_PACKAGE = 'aventer-mesos';
export const LEGACY_PACKAGE = 'mesos';

/** Where the wrapper of either package lies. */
const WRAPPER = '/usr/bin/mesos-init-wrapper';

/** Only the legacy packages bring one of these. */
const LEGACY_JOBS = [
  '/lib/systemd/system/mesos-slave.service',
  '/usr/lib/systemd/system/mesos-slave.service',
  '/etc/init/mesos-slave.conf',
] as const;

const BINARY_DIRECTORIES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'] as const;

/** Where the binaries of a Mesos that is on the host already may be. */
export const MESOS_BINARIES = BINARY_DIRECTORIES.flatMap((directory) =>
  ['mesos-master', 'mesos-agent', 'mesos-slave'].map((name) => `${directory}/${name}`),
);

/** What tells whose Mesos is on a host. */
export const LAYOUT_TARGETS: Targets = {
  files: [WRAPPER, ...LEGACY_JOBS, ...MESOS_BINARIES],
  packages: [CLUSTERD_PACKAGE, LEGACY_PACKAGE],
};

/** The name of the package that brings Mesos; undefined when none does. */
export function mesosPackage(source: MesosSource): string | undefined {
  switch (source.kind) {
    case 'clusterd':
      return CLUSTERD_PACKAGE;
    case 'mesosphere':
      return LEGACY_PACKAGE;
    case 'package':
      return parseDebName('url' in source.from ? source.from.url : source.from.file)?.name;
    case 'preinstalled':
      return undefined;
  }
}

/** The variable by which a unit of ours gives a flag. */
export function variableName(flag: string): string {
  return `MESOS_${flag.toUpperCase()}`;
}

/** The value with which a master or agent was installed; undefined where its configuration doesn't have the flag. */
export function presentFlag(
  kind: MesosLayout['kind'],
  { flags, defaults }: MesosService,
  { files }: Facts,
  name: string,
): string | undefined {
  if (kind !== 'own') return files[`${flags}/${name}`]?.text?.trim();
  return new RegExp(`^${variableName(name)}="([^"]*)"`, 'm').exec(files[defaults]?.text ?? '')?.[1];
}

export function mesosLayout(cluster: Cluster, facts: Facts): MesosLayout {
  if (cluster.mesos.kind !== 'preinstalled') {
    return mesosPackage(cluster.mesos) === LEGACY_PACKAGE ? LEGACY : CLUSTERD;
  }
  if (LEGACY_JOBS.some((path) => facts.files[path])) return LEGACY;
  if (facts.files[WRAPPER] || installedPackage(facts, CLUSTERD_PACKAGE)) return CLUSTERD;
  return ownLayout(facts);
}

const MASTER: MesosService = {
  service: 'mesos-master',
  flags: '/etc/mesos-master',
  defaults: '/etc/default/mesos-master',
  program: '/usr/bin/mesos-master',
};

const CLUSTERD: MesosLayout = {
  kind: 'clusterd',
  master: MASTER,
  agent: {
    service: 'mesos-agent',
    flags: '/etc/mesos-agent',
    defaults: '/etc/default/mesos-agent',
    program: '/usr/bin/mesos-agent',
  },
};

const LEGACY: MesosLayout = {
  kind: 'legacy',
  master: { ...MASTER, program: '/usr/sbin/mesos-master' },
  agent: {
    service: 'mesos-slave',
    flags: '/etc/mesos-slave',
    defaults: '/etc/default/mesos-slave',
    program: '/usr/sbin/mesos-slave',
  },
};

/** Between them they name every service and path that any layout has. */
export const PACKAGED_LAYOUTS: readonly MesosLayout[] = [CLUSTERD, LEGACY];

function ownLayout(facts: Facts): MesosLayout {
  return {
    kind: 'own',
    master: { ...MASTER, program: programOf(facts, ['mesos-master']) },
    agent: { ...CLUSTERD.agent, program: programOf(facts, ['mesos-agent', 'mesos-slave']) },
  };
}

function programOf(facts: Facts, names: readonly string[]): string {
  const paths = names.flatMap((name) => BINARY_DIRECTORIES.map((directory) => `${directory}/${name}`));
  return paths.find((path) => facts.files[path]) ?? `/usr/sbin/${names[0]}`;
}
