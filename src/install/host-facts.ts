/** What a host is found to be, but for the journal of what was there before mesosup: see `facts.ts`. */

import type { AptFacts } from './apt-facts.ts';

export interface HostFacts {
  /** The host's clock when the probe ran, in milliseconds since 1970, and how far off this machine's it is. */
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
  /** `2.36`; empty when it can't be told. */
  readonly glibc: string;
  readonly init: 'systemd' | 'upstart' | 'other';
  readonly cgroups: 'v1' | 'hybrid' | 'v2' | 'none';
  readonly hostname: string;
  /** Addresses of the host's own, without loopback; the one of the default route first. */
  readonly addresses: readonly string[];
  /** The one that the SSH connection came to; empty without SSH. */
  readonly sshAddress: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Free bytes of the file systems that hold these directories (or their nearest parent that is there). */
  readonly diskFreeBytes: Readonly<Record<string, number>>;
  /** How the file systems of the same directories are mounted. */
  readonly mounts: Readonly<Record<string, { readonly noexec: boolean; readonly readonly: boolean }>>;
  readonly dpkg: DpkgFacts;
  /** By name; those that were asked for and are not wholly absent. */
  readonly packages: Readonly<Record<string, PackageFacts>>;
  /** By path: those asked for, and all beneath the directories asked for. A path that is missing isn't there. */
  readonly files: Readonly<Record<string, FileFacts>>;
  /** By name: those asked for that are there. */
  readonly users: Readonly<Record<string, UserFacts>>;
  /** By name without `.service`: those asked for that the init system knows. */
  readonly services: Readonly<Record<string, ServiceFacts>>;
  /** Listening TCP sockets on ports asked for. */
  readonly listeners: readonly { readonly port: number; readonly program: string }[];
  readonly zookeeper: ZooKeeperHealth;
  readonly master: MasterHealth;
  readonly agent: AgentHealth;
  readonly scheduler: SchedulerHealth;
  readonly docker: { readonly version: string; readonly running: boolean };
  /** Docker in forms that neither its project's packages nor the distribution's bring, with a path of each. */
  readonly otherDockers: readonly OtherDocker[];
  /** Known only after apt was asked, which happens where a plan installs packages. */
  readonly apt?: AptFacts;
  readonly mesosup: OwnFacts;
}

export interface OtherDocker {
  readonly form: 'snap' | 'static' | 'rootless' | 'desktop';
  readonly path: string;
}

export interface DpkgFacts {
  /** Who holds the lock, as `program (pid)`; empty when nobody does. */
  readonly heldBy: string;
  /**
   * Packages left half installed, half configured or with triggers pending; `dpkg` for its own unfinished work, and
   * `policy-rc.d` when a killed run of ours still keeps services from starting.
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
  /** Of a file, hex. */
  readonly sha256?: string;
  /** Of a link, as it is written. */
  readonly target?: string;
  /** Of a small file that all may read: its text. Never that of a file only its owner may read. */
  readonly text?: string;
  /** The same as base64, when it isn't UTF-8 text. */
  readonly content?: string;
  /**
   * Of a file of apt's keys: their fingerprints in hex, upper case, and when the last of them expires, in milliseconds
   * since 1970, if they all do.
   */
  readonly keys?: { readonly fingerprints: readonly string[]; readonly expires?: number };
}

export interface UserFacts {
  readonly uid: number;
  readonly groups: readonly string[];
}

export interface ServiceFacts {
  readonly enabled: 'enabled' | 'disabled' | 'masked' | 'static' | 'generated' | 'unknown';
  /** `failed`: ended by itself, or restarts again and again. */
  readonly state: 'running' | 'stopped' | 'starting' | 'failed';
  readonly pid: number;
  /** The unit's or job's file; empty for a generated one. */
  readonly file: string;
  /** Digest of the inputs it was last started with by us (`ServiceResource.inputs`); empty if never. */
  readonly inputs: string;
  /** Files changed since the init system read them. */
  readonly needsReload: boolean;
  /** Restarts by the init system since it was last started by hand. */
  readonly restarts: number;
}

/** How a question to a service went. */
export interface Asked {
  /** Milliseconds until the answer was there, or until none was expected any more. */
  readonly tookMs?: number;
  /** Why no answer came: nothing listens there or the connection was cut, or nothing was said for `ASK_SECONDS`. */
  readonly silence?: 'refused' | 'timeout';
}

/** Health as the host itself sees it, over loopback or its own address. `answers` false: nothing came. */
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
  readonly agentsActive: number;
  readonly frameworksActive: number;
  /** What stands in the way, e.g. that the credentials were refused; empty when nothing does. */
  readonly problem: string;
}

export interface AgentHealth extends Asked {
  readonly answers: boolean;
  readonly registered: boolean;
  readonly version: string;
  /** The id in `meta/slaves/latest`; empty without one. */
  readonly id: string;
  /** Tasks of its that are not over; null when it can't be asked. */
  readonly tasks: number | null;
  readonly problem: string;
}

export interface SchedulerHealth extends Asked {
  readonly answers: boolean;
  readonly leads: boolean;
  /** host:port of the one that leads; empty when there is none. */
  readonly leader: string;
  /** True when the leader's session with the Mesos master is up. */
  readonly subscribed: boolean;
  readonly version: string;
  readonly problem: string;
}

export interface OwnFacts {
  /** The cluster this host was installed for; empty when it was not. */
  readonly cluster: string;
  /** The version that `/opt/mesosup/current` leads to; empty without one. */
  readonly current: string;
  /** Versions unpacked whole. */
  readonly payloads: readonly string[];
  /** Those of them that the installer didn't put there: they hold the program people call, and go by what brought it. */
  readonly released: readonly string[];
  /** True when the cluster was started here, and not stopped since. */
  readonly started: boolean;
  /** The run that is under way here, or ended without a word. */
  readonly run: RunFacts | null;
}

export interface RunFacts {
  readonly id: string;
  /** `install`, `start`, `stop` or `uninstall`. */
  readonly command: string;
  /** user@machine (pid) that began it. */
  readonly who: string;
  /** Milliseconds since 1970, by the host's clock. */
  readonly since: number;
  /** False: the process is gone and left no end. */
  readonly alive: boolean;
}
