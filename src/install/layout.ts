/** Paths of binaries, services and configuration of a host's Mesos, which depend on its package. */

import type { Cluster, MesosSource } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import { installedPackage } from './package-state.ts';
import type { Targets } from './probe-targets.ts';
import { parseDebName } from './versions.ts';

export interface MesosLayout {
  /**
   * `clusterd` and `legacy`: the package's wrapper turns the files of a directory into flags. `own`: there is no
   * wrapper, so mesosup's units read MESOS_ variables.
   */
  readonly kind: 'clusterd' | 'legacy' | 'own';
  readonly master: MesosService;
  readonly agent: MesosService;
}

export interface MesosService {
  /** Name of the service in the init system. */
  readonly service: string;
  /** Directory in which each file is a flag. */
  readonly flags: string;
  /** File that the wrapper, or mesosup's unit, sources. */
  readonly defaults: string;
  readonly program: string;
}

export const CLUSTERD_PACKAGE = 'aventer-mesos';
export const LEGACY_PACKAGE = 'mesos';

/** Path of the wrapper of both packages. */
const WRAPPER = '/usr/bin/mesos-init-wrapper';

/** Only the legacy packages contain one of these. */
const LEGACY_JOBS = [
  '/lib/systemd/system/mesos-slave.service',
  '/usr/lib/systemd/system/mesos-slave.service',
  '/etc/init/mesos-slave.conf',
] as const;

const BINARY_DIRECTORIES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'] as const;

/** Possible paths of the binaries of a preinstalled Mesos. */
export const MESOS_BINARIES = BINARY_DIRECTORIES.flatMap((directory) =>
  ['mesos-master', 'mesos-agent', 'mesos-slave'].map((name) => `${directory}/${name}`),
);

/** Units of the host's owner, which take the place of the package's units. */
const OWN_UNITS = ['mesos-master', 'mesos-agent', 'mesos-slave'].map(
  (name) => `/etc/systemd/system/${name}.service`,
);

/** Targets that show which package of Mesos a host has. */
export const LAYOUT_TARGETS: Targets = {
  files: [WRAPPER, ...LEGACY_JOBS, ...OWN_UNITS, ...MESOS_BINARIES],
  packages: [CLUSTERD_PACKAGE, LEGACY_PACKAGE],
};

/** Returns the name of the package of Mesos; undefined without one. */
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

/** Returns the variable with which mesosup's unit sets a flag. */
export function variableName(flag: string): string {
  return `MESOS_${flag.toUpperCase()}`;
}

/** Returns the value of a flag in the present configuration of a master or agent; undefined without the flag. */
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
  // A masked service is a link.
  if (OWN_UNITS.some((path) => facts.files[path]?.type === 'file')) return ownLayout(facts);
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

/** Together they contain every service and path of any layout. */
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
