/** The facts of a host, without mesosup's journal of the host's previous state: see `facts.ts`. */

import type { AptFacts } from './apt-facts.ts';

export interface HostFacts {
  /** The host's clock when the probe ran, in milliseconds since 1970, and its offset from this machine's clock. */
  readonly clock: { readonly now: number; readonly offsetMs: number };
  readonly system: {
    /** `ID` of os-release: `debian`, `ubuntu` … */
    readonly id: string;
    readonly version: string;
    readonly codename: string;
    readonly name: string;
  };
  /** As dpkg names it: amd64, arm64 … */
  readonly arch: string;
  readonly kernel: string;
  /** `2.36`; empty when it isn't known. */
  readonly glibc: string;
  readonly init: 'systemd' | 'upstart' | 'other';
  readonly cgroups: 'v1' | 'hybrid' | 'v2' | 'none';
  readonly hostname: string;
  /** The host's own addresses, without loopback; the address of the default route comes first. */
  readonly addresses: readonly string[];
  /** The address that the SSH connection came to; empty without SSH. */
  readonly sshAddress: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Free bytes of the file systems of these directories, or of their nearest existing ancestors. */
  readonly diskFreeBytes: Readonly<Record<string, number>>;
  /** Mount options of the file systems of the same directories. */
  readonly mounts: Readonly<Record<string, { readonly noexec: boolean; readonly readonly: boolean }>>;
  readonly dpkg: DpkgFacts;
  /** Targets of the probe that dpkg knows, by name. */
  readonly packages: Readonly<Record<string, PackageFacts>>;
  /**
   * Files that are targets, and all files below directories that are targets, by path. A missing path does not exist.
   */
  readonly files: Readonly<Record<string, FileFacts>>;
  /** Targets of the probe that exist, by name. */
  readonly users: Readonly<Record<string, UserFacts>>;
  /** Targets of the probe that the init system knows, by name without `.service`. */
  readonly services: Readonly<Record<string, ServiceFacts>>;
  /** Listening TCP sockets on the ports that are targets. */
  readonly listeners: readonly { readonly port: number; readonly program: string }[];
  readonly zookeeper: ZooKeeperHealth;
  readonly master: MasterHealth;
  readonly agent: AgentHealth;
  readonly scheduler: SchedulerHealth;
  readonly lb: LbHealth;
  readonly docker: { readonly version: string; readonly running: boolean };
  /** Installations of Docker from neither its own packages nor the distribution's, each with a path. */
  readonly otherDockers: readonly OtherDocker[];
  /** Known only after a simulation with apt, which is made where a plan installs packages. */
  readonly apt?: AptFacts;
  readonly mesosup: OwnFacts;
  /** The running agent's flags of `AGENT_IDENTITY`, by name, as its command line and environment set them. */
  readonly agentFlags?: Readonly<Record<string, string>>;
  /** Whether the installed Mesos was built with TLS. Missing if it is not known, or was not asked. */
  readonly mesosTls?: boolean;
}

export interface OtherDocker {
  readonly form: 'snap' | 'static' | 'rootless' | 'desktop';
  readonly path: string;
}

export interface DpkgFacts {
  /** The holder of the lock, as `program (pid)`; empty when the lock is free. */
  readonly heldBy: string;
  /**
   * Packages that are half installed, half configured or have pending triggers; `dpkg` for its own unfinished work, and
   * `policy-rc.d` when a killed run of mesosup still prevents services from starting.
   */
  readonly broken: readonly string[];
}

export interface PackageFacts {
  readonly version: string;
  /** dpkg's three words: `install ok installed`. */
  readonly status: string;
}

export interface FileFacts {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Digest of a file, hex. */
  readonly sha256?: string;
  /** Target of a link, not resolved. */
  readonly target?: string;
  /** Text of a small file that all users may read. Never the text of any other file. */
  readonly text?: string;
  /** The same as base64, for a file that isn't UTF-8 text. */
  readonly content?: string;
  /**
   * For a file of apt's keys: the fingerprints in hex, upper case, and if all keys expire, the time when the last of
   * them does, in milliseconds since 1970.
   */
  readonly keys?: { readonly fingerprints: readonly string[]; readonly expires?: number };
}

export interface UserFacts {
  readonly uid: number;
  readonly groups: readonly string[];
}

export interface ServiceFacts {
  readonly enabled: 'enabled' | 'disabled' | 'masked' | 'static' | 'generated' | 'unknown';
  /** `failed`: ended by itself, or restarts repeatedly. */
  readonly state: 'running' | 'stopped' | 'starting' | 'failed';
  readonly pid: number;
  /** Path of the unit or job; empty for a generated unit. */
  readonly file: string;
  /** Digest of the inputs with which mesosup last started it (`ServiceResource.inputs`); empty if it never did. */
  readonly inputs: string;
  /** True if its files have changed since the init system read them. */
  readonly needsReload: boolean;
  /** Restarts by the init system since it was last started manually. */
  readonly restarts: number;
}

/** The result of a request to a service. */
export interface Asked {
  /** Milliseconds until the answer arrived, or until the request timed out. */
  readonly tookMs?: number;
  /**
   * Reason for no answer. `refused`: nothing listens, or the connection was closed. `timeout`: after `ANSWER_SECONDS`.
   */
  readonly silence?: 'refused' | 'timeout';
}

/** Health as seen from the host itself, over loopback or its own address. `answers` is false without an answer. */
export interface ZooKeeperHealth extends Asked {
  readonly answers: boolean;
  /** `leader` or `follower` within a quorum, `standalone`; empty otherwise. */
  readonly mode: string;
  readonly version: string;
}

export interface MasterHealth extends Asked {
  readonly answers: boolean;
  readonly elected: boolean;
  readonly recovered: boolean;
  readonly version: string;
  readonly agentsConnected: number;
  readonly frameworksActive: number;
  /** An error, for example that the credentials were refused; empty without one. */
  readonly problem: string;
}

export interface AgentHealth extends Asked {
  readonly answers: boolean;
  readonly registered: boolean;
  readonly version: string;
  /** The id in `meta/slaves/latest`; empty without one. */
  readonly id: string;
  /** Number of tasks that have not ended; null when the agent does not answer. */
  readonly tasks: number | null;
  /** Number of executors that have not ended; null when the agent does not answer. */
  readonly executors: number | null;
  readonly problem: string;
}

export interface SchedulerHealth extends Asked {
  readonly answers: boolean;
  readonly leads: boolean;
  /** host:port of the leading scheduler; empty without one. */
  readonly leader: string;
  /** True if the leader is subscribed to the Mesos master. */
  readonly subscribed: boolean;
  readonly version: string;
  readonly problem: string;
}

export interface LbHealth extends Asked {
  readonly answers: boolean;
  /** True if haproxy runs. */
  readonly balances: boolean;
  /** Number of ports of apps that it serves. */
  readonly services: number;
  /** Number of settings of apps that have no effect. */
  readonly problems: number;
  /** Time of the last answer of a scheduler, in milliseconds since 1970 by the host's clock; 0 without one. */
  readonly answeredAt: number;
}

export interface OwnFacts {
  /** The cluster that this host was installed for; empty without one. */
  readonly cluster: string;
  /** The version that the link `/opt/mesosup/current` names; empty without one. */
  readonly current: string;
  /** Versions that are unpacked completely, the latest first. */
  readonly payloads: readonly string[];
  /** Versions of `payloads` that bootstrap.sh or a package installed. They contain the program that people call. */
  readonly released: readonly string[];
  /** Versions of running programs, except services, which run through the link. */
  readonly inUse?: readonly string[];
  /** What apt took for mesosup, as far as it is still installed. */
  readonly taken?: readonly TakenPackage[];
  /** Images that mesosup has loaded into Docker, by the SHA-256 of their archive. */
  readonly images?: readonly string[];
  /** True if the cluster was started on this host, and not stopped since. */
  readonly started: boolean;
  /** The run in progress on this host, or one that ended unexpectedly. */
  readonly run: RunFacts | null;
}

export interface RunFacts {
  readonly id: string;
  /** `install`, `start`, `stop` or `uninstall`. */
  readonly command: string;
  /** user@machine (pid) that started it. */
  readonly who: string;
  /** Milliseconds since 1970, by the host's clock. */
  readonly since: number;
  /** False: the process died before the end of the run. */
  readonly alive: boolean;
}

export interface TakenPackage {
  readonly name: string;
  /** The installed version. */
  readonly version: string;
  /** Of the package file, hex; empty if the owner has installed another version since. */
  readonly sha256: string;
  /** Seconds since 1970, by the host's clock. */
  readonly taken: number;
}
