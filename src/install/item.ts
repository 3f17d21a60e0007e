/** An item of a plan: one change of a host. */

/** The common part of all resources; the kinds are in `resources/`. */
export interface Shape {
  readonly kind: string;
}

export type PlanAction =
  | 'create'
  | 'change'
  | 'remove'
  | 'install'
  | 'upgrade'
  | 'enable'
  | 'disable'
  | 'start'
  | 'stop'
  | 'restart'
  | 'step-down' // stop a server of ZooKeeper until another one leads
  | 'reload' // the init system reads its files again; the service keeps running
  | 'replace-agent' // drain and stop the agent, remove its id: its tasks end. A `start` follows after its files
  | 'drain' // take the agent out of service: its tasks move to other agents, or end
  | 'undrain' // put the agent back into service
  | 'repair' // complete an interrupted dpkg run
  | 'restore'; // restore the previous state

export interface Item<R extends Shape = Shape> {
  /** `resourceId` of its resource; unique on the host together with the action. */
  readonly id: string;
  readonly action: PlanAction;
  /** One line for people: `/etc/mesos-agent/attributes/rack: create`. */
  readonly title: string;
  /** Lines of a diff, which begin with `+`, `-` or a blank; secrets are shown as dots. */
  readonly diff: readonly string[];
  /** The reason, if the diff doesn't show it: `because /etc/mesos-agent/ip changed`. */
  readonly reason?: string;
  /**
   * For `remove`: also remove the content of a directory, the configuration and data of a package, or all containers
   * of Docker.
   */
  readonly whole?: true;
  /** True of a package that apt removes or downgrades by itself while it installs other packages of the plan. */
  readonly byApt?: true;
  /** Number of tasks that it ends, mainly for `replace-agent`; null when the agent does not answer. */
  readonly endsTasks?: number | null;
  /** For `drain`: the same plan puts the agent back into service. */
  readonly returns?: true;
  /**
   * The resource that the item brings into its wanted state: `start` and `restart` of a service also enable it if it is
   * to be enabled, `stop` disables or masks it, `disable` with `masked` stops it; `enable` and `reload` don't affect
   * the process. Missing if no resource is wanted (`remove`, `restore`, `repair`).
   */
  readonly resource?: R;
}

/** An item of a host's plan, with its index. */
export interface Numbered<I extends Item = Item> {
  readonly item: I;
  readonly index: number;
}

/** Splits an id `kind:name`. */
export function idParts(id: string): { kind: string; name: string } {
  const colon = id.indexOf(':');
  return { kind: id.slice(0, colon), name: id.slice(colon + 1) };
}

/** An item for a resource that is no longer wanted. */
export type UndoItem = Item<never>;
