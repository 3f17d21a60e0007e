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
