/** The targets of a probe of one host: everything that a wanted state could depend on, so that one probe is enough. */

export interface ProbeTargets {
  /** Paths to read if they exist. */
  readonly files: readonly string[];
  /** Directories to read recursively. */
  readonly trees: readonly string[];
  readonly packages: readonly string[];
  readonly users: readonly string[];
  /** Without `.service`. */
  readonly services: readonly string[];
  /** TCP ports whose listeners are named. */
  readonly ports: readonly number[];
  /** Directories whose file systems are read. */
  readonly disks: readonly string[];
  /** Find out whether the installed Mesos was built with TLS. */
  readonly mesosTls?: true;
  /** Ports of the services whose health is read, if given. `address` is the host's address in the cluster, if known. */
  readonly health: {
    readonly address?: string;
    readonly zookeeper?: number;
    readonly master?: number;
    readonly agent?: number;
    readonly scheduler?: number;
    /** The address of the load balancer's metrics. */
    readonly lb?: { readonly host: string; readonly port: number };
    /** The agent's work directory. */
    readonly agentWorkDir?: string;
  };
}

/** The targets of one resource or one check. */
export type Targets = Partial<Omit<ProbeTargets, 'health' | 'mesosTls'>>;

/** Joins targets without duplicates. Omits paths that are read as part of a tree. */
export function joinTargets(all: readonly Targets[]): Required<Targets> {
  const trees = unique(all.map((one) => one.trees));
  const isBelow = (path: string) => trees.some((tree) => path.startsWith(`${tree}/`));
  return {
    files: unique(all.map((one) => one.files)).filter((path) => !trees.includes(path) && !isBelow(path)),
    trees: trees.filter((path) => !isBelow(path)),
    packages: unique(all.map((one) => one.packages)),
    users: unique(all.map((one) => one.users)),
    services: unique(all.map((one) => one.services)),
    ports: unique(all.map((one) => one.ports)),
    disks: unique(all.map((one) => one.disks)),
  };
}

function unique<T>(lists: readonly (readonly T[] | undefined)[]): T[] {
  return [...new Set(lists.flatMap((list) => list ?? []))];
}
