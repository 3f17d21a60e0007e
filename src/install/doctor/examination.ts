/** What the doctor reads of a host beyond its facts. */

export interface Examination {
  /** The result of a connection to each server on other hosts: `open`, `timeout`, or the reason, as bash words it. */
  readonly dials: readonly { readonly address: string; readonly port: number; readonly result: string }[];
  /** By path. */
  readonly spaces: Readonly<Record<string, Space>>;
  /** The first IPv4 address of each name; empty if it can't be resolved. */
  readonly names: Readonly<Record<string, string>>;
  /** True if the host can resolve its own name. */
  readonly knowsItself: boolean;
  /** Of the interface with the host's address; undefined if it isn't known. */
  readonly mtu?: number;
  /** Undefined if Docker does not run or does not answer. */
  readonly engine?: Engine;
  /** Containers of executors that have ended. */
  readonly orphans: readonly { readonly id: string; readonly name: string }[];
  /** The last lines of services, by name. */
  readonly logs: Readonly<Record<string, readonly string[]>>;
  /** The HTTP status of an answer without credentials, by port; 0 without an answer. */
  readonly guarded: Readonly<Record<number, number>>;
  /** Of the host's own server; undefined without one. */
  readonly zookeeper?: ZooKeeperExamination;
}

/** The file system of a path. */
export interface Space {
  readonly type: string;
  /** From 0 to 1. */
  readonly freeBlocks: number;
  /** From 0 to 1; 1 for a file system without a fixed number of inodes. */
  readonly freeInodes: number;
  readonly freeInodeCount: number;
}

/** The part of `docker info` that matters. */
export interface Engine {
  readonly driver: string;
  readonly cgroupDriver: string;
  readonly liveRestore: boolean;
  readonly loggingDriver: string;
  readonly warnings: readonly string[];
}

export interface ZooKeeperExamination {
  /** Content of the file `myid`; empty without it. */
  readonly myid: string;
  /** Of the answer to `mntr`; undefined if it isn't known. In ms. */
  readonly averageLatency?: number;
  readonly outstanding?: number;
}
