/** What a probe has to look at on one host: all that the wanted state could rest on, so that one probe is enough. */

export interface ProbeTargets {
  /** Paths looked at if they are there. */
  readonly files: readonly string[];
  /** Directories looked at with all beneath them. */
  readonly trees: readonly string[];
  readonly packages: readonly string[];
  readonly users: readonly string[];
  /** Without `.service`. */
  readonly services: readonly string[];
  /** TCP ports whose listeners are named. */
  readonly ports: readonly number[];
  /** Directories whose file system's free space is told. */
  readonly disks: readonly string[];
  /** Where to ask for health; a missing one isn't asked. `address` is the host's own within the cluster, if known. */
  readonly health: {
    readonly address?: string;
    readonly zookeeper?: number;
    readonly master?: number;
    readonly agent?: number;
    readonly scheduler?: number;
    /** Where the agent keeps its state: `/var/lib/mesos`. */
    readonly agentWorkDir?: string;
  };
}

/** A share of it: what one resource or one check reads. */
export type Targets = Partial<Omit<ProbeTargets, 'health'>>;

/** All of them, each path and name once. A path beneath a tree is looked at with the tree. */
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
