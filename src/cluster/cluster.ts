/** The wanted cluster with every default filled in, from `cluster.yaml` or `--hosts`. */

export const ROLES = ['zookeeper', 'master', 'scheduler', 'agent', 'lb'] as const;

export type Role = (typeof ROLES)[number];

export interface Cluster {
  /** Letters, digits, `-` and `_`; names the state directory, the Mesos cluster and the containers' label. */
  readonly name: string;
  readonly mesos: MesosSource;
  readonly docker: DockerSource;
  readonly hosts: readonly ClusterHost[];
  /** Mesos flags of every master by name, without `--`. An empty value is a switch, `no-x` turns one off. */
  readonly masterFlags: MesosFlags;
  /** The same for every agent; a host's own flags override them. */
  readonly agentFlags: MesosFlags;
  /** Flags of the scheduler by name. */
  readonly schedulerFlags: Readonly<Record<string, string>>;
  /** Flags of the load balancer by name; missing if there are none. */
  readonly lbFlags?: Readonly<Record<string, string>>;
  /** An exporter of metrics on each host with a master or an agent; missing for none. */
  readonly monitoring?: Monitoring;
  readonly ports: Ports;
  /**
   * ZooKeeper that mesosup does not manage, and the path of the masters in it: `zk://10.0.0.1:2181,10.0.0.2:2181/mesos`.
   * Missing if mesosup manages ZooKeeper, or there is none.
   */
  readonly zookeeper?: string;
  /**
   * True: a new cluster has TLS from the beginning, or is refused. False: it gets none. Missing: it has TLS unless
   * something prevents it. A cluster that exists stays as it is until `mesosup certs enable`.
   */
  readonly tls?: boolean;
}

export interface Monitoring {
  /** `cluster`: the host's address within the cluster. */
  readonly listen: 'loopback' | 'cluster';
  readonly port: number;
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
      /** Version of the package; defaults to the installed version, or else the newest. */
      readonly version?: string;
      readonly repository: AptRepository;
    }
  | {
      readonly kind: 'package';
      /** An http(s) URL that the host fetches, or the path of a file on this machine. */
      readonly from: { readonly url: string } | { readonly file: string };
      /** In hex, lower case. */
      readonly sha256: string;
    }
  | { readonly kind: 'preinstalled' };

export type DockerSource =
  | { readonly kind: 'docker-ce'; readonly version?: string; readonly repository: AptRepository }
  | { readonly kind: 'distribution'; readonly version?: string }
  | { readonly kind: 'preinstalled' };

/** An apt repository. `{id}`, `{codename}` and `{arch}` in its line are replaced by the host's values. */
export interface AptRepository {
  /** The text after `deb [signed-by=…]`, for example `https://mirror/Debian/ {codename} main`. */
  readonly debian: string;
  readonly ubuntu: string;
  /** Source of its key: an http(s) URL that this machine fetches, or a file on this machine. */
  readonly key: { readonly url: string } | { readonly file: string };
  /** The key's fingerprint in hex, upper case; other keys are refused. */
  readonly fingerprint?: string;
}

export interface ClusterHost {
  /** Unique name for people; also the address unless `address` differs. */
  readonly name: string;
  /** Address for SSH. */
  readonly address: string;
  /** IP address by which the cluster's members reach it; found by the probe when it is missing. */
  readonly privateAddress?: string;
  readonly roles: readonly Role[];
  /** Mesos attributes of the agent: `rack: a`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Mesos resources of the agent by name: `cpus: "4"`, `ports: "[31000-32000]"`. Mesos finds the others. */
  readonly resources: Readonly<Record<string, string>>;
  /** Name of the agent or master in Mesos; defaults to the private address. */
  readonly hostname?: string;
  readonly masterFlags: MesosFlags;
  readonly agentFlags: MesosFlags;
  readonly connection: Connection;
}

/** Connection to a host. Missing values are taken from OpenSSH's configuration. */
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
      /** `SHA256:…`: the only accepted host key. */
      readonly hostKey?: string;
    };
