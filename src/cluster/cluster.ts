/** The cluster as a person wants it, every default filled in: what `cluster.yaml` or `--hosts` comes to. */

export type Role = 'zookeeper' | 'master' | 'scheduler' | 'agent';

export interface Cluster {
  /** Letters, digits, `-` and `_`; names the state directory, the Mesos cluster and the containers' label. */
  readonly name: string;
  readonly mesos: MesosSource;
  readonly docker: DockerSource;
  readonly hosts: readonly ClusterHost[];
  /** Mesos flags by name, without `--`; given to every master. An empty value is a switch, `no-x` turns one off. */
  readonly masterFlags: MesosFlags;
  /** The same for every agent; a host's own win. */
  readonly agentFlags: MesosFlags;
  /** Flags of the scheduler by name. */
  readonly schedulerFlags: Readonly<Record<string, string>>;
  readonly ports: Ports;
}

export type MesosFlags = Readonly<Record<string, string>>;

export interface Ports {
  readonly master: number;
  readonly agent: number;
  readonly scheduler: number;
  readonly zookeeper: number;
}

export type MesosSource =
  | {
      readonly kind: 'clusterd' | 'mesosphere';
      /** A version of the package; the newest there is when installing, and any that is installed, without one. */
      readonly version?: string;
      readonly repository: AptRepository;
    }
  | {
      readonly kind: 'package';
      /** An http(s) URL the host fetches, or the path of a file on this machine. */
      readonly from: { readonly url: string } | { readonly file: string };
      /** In hex, lower case. */
      readonly sha256: string;
    }
  | { readonly kind: 'preinstalled' };

export type DockerSource =
  | { readonly kind: 'docker-ce'; readonly version?: string; readonly repository: AptRepository }
  | { readonly kind: 'distribution'; readonly version?: string }
  | { readonly kind: 'preinstalled' };

/** An apt repository; `{id}`, `{codename}` and `{arch}` in its line stand for the host's. */
export interface AptRepository {
  /** By system id; e.g. `https://mirror/Debian/ {codename} main`. What follows `deb [signed-by=…]`. */
  readonly debian: string;
  readonly ubuntu: string;
  /** Where its key is: an http(s) URL fetched by this machine, or a file here. */
  readonly key: { readonly url: string } | { readonly file: string };
  /** The key's fingerprint in hex, upper case, when it is known; another is then refused. */
  readonly fingerprint?: string;
}

export interface ClusterHost {
  /** Unique; what people call it, and the address unless there is another. */
  readonly name: string;
  /** Where SSH reaches it. */
  readonly address: string;
  /** How the cluster's members reach it: an IP address; found by the probe when it is missing. */
  readonly privateAddress?: string;
  readonly roles: readonly Role[];
  /** Mesos attributes of the agent: `rack: a`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Mesos resources of the agent by name: `cpus: "4"`, `ports: "[31000-32000]"`. Others are found by Mesos. */
  readonly resources: Readonly<Record<string, string>>;
  /** Under which the agent or master is known; its private address when there is none. */
  readonly hostname?: string;
  readonly masterFlags: MesosFlags;
  readonly agentFlags: MesosFlags;
  readonly connection: Connection;
}

/** How to reach a host; what is missing is left to OpenSSH's configuration. */
export type Connection =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'ssh';
      readonly user?: string;
      readonly port?: number;
      /** Path of a private key. */
      readonly key?: string;
      /** Hosts to jump through, as ProxyJump writes them. */
      readonly bastion?: string;
      /** `SHA256:…`: the only host key that will do. */
      readonly hostKey?: string;
    };
