/** What the doctor reads of a host beyond its facts. */

export interface Examination {
  readonly dials: readonly DialResult[];
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
  /** Lines of the kernel's log of the last day about lack of memory and errors of disks, the latest last. */
  readonly kernel?: readonly string[];
  /** Of the scheduler and the load balancer: those of each file. */
  readonly certificates?: readonly CertificateFile[];
}

/** The result of a connection to a server on another host. */
export interface DialResult {
  readonly address: string;
  readonly port: number;
  /** `open`, `timeout`, or the reason, as bash words it. */
  readonly result: string;
  /** True if the server answers a short request, but never one that needs large packets. */
  readonly losesLarge?: boolean;
}

export interface CertificateFile {
  readonly path: string;
  /** Empty for a file without a readable certificate. */
  readonly certificates: readonly Certificate[];
}

export interface Certificate {
  /** Its common name, or its whole subject. */
  readonly subject: string;
  /** In milliseconds since 1970. */
  readonly expires: number;
  /** When it begins to be valid. In milliseconds since 1970. */
  readonly begins: number;
  readonly issuer: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  /** True if an authority of the cluster signed it; missing if the host has none. */
  readonly isTrusted?: boolean;
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
  /** The last transaction; undefined if the server does not answer. */
  readonly zxid?: Zxid;
  /** The latest first. Missing if the directory can't be read. */
  readonly snapshots?: readonly Snapshot[];
}

/** A transaction: the number of its leader's term, and its number within this term. */
export interface Zxid {
  readonly epoch: number;
  readonly counter: number;
}

export interface Snapshot {
  readonly zxid: Zxid;
  readonly bytes: number;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}
