/** One thing to be done to a host. */

/** What every resource has; the kinds of them are in `resources/`. */
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
  | 'reload' // the init system reads its files anew; the service goes on
  | 'replace-agent' // drain, stop, forget the agent's id: its tasks end. A `start` follows once its files are there
  | 'repair' // finish what an interrupted dpkg left
  | 'restore'; // uninstall: put back what was there

export interface Item<R extends Shape = Shape> {
  /** `resourceId` of what it is about; with the action it is unique on the host. */
  readonly id: string;
  readonly action: PlanAction;
  /** One line for people: `/etc/mesos-agent/attributes/rack: create`. */
  readonly title: string;
  /** Lines of a diff, `+`, `-` or a blank first; secrets are shown as dots. */
  readonly diff: readonly string[];
  /** Why, when it isn't plain from the diff: `because /etc/mesos-agent/ip changed`. */
  readonly reason?: string;
  /**
   * Of a `remove`: a directory goes with all in it, a package with its configuration and what it calls its data,
   * Docker with all its containers.
   */
  readonly whole?: true;
  /** Of a package that apt removes or downgrades by itself while it installs the packages of the items beside it. */
  readonly byApt?: true;
  /** How many tasks end by it. Above all for `replace-agent`; null when the agent can't be asked. */
  readonly endsTasks?: number | null;
  /**
   * What it makes true, whole: `start` and `restart` of a service also enable it where it says so, `stop` disables or
   * masks it, `disable` with `masked` stops it; `enable` and `reload` leave the process alone. Missing where nothing
   * is wanted any more (`remove`, `restore`, `repair`).
   */
  readonly resource?: R;
}

/** An item of a host's plan, with its number there. */
export interface Numbered<I extends Item = Item> {
  readonly item: I;
  readonly index: number;
}

/** `kind:name` apart. */
export function idParts(id: string): { kind: string; name: string } {
  const colon = id.indexOf(':');
  return { kind: id.slice(0, colon), name: id.slice(colon + 1) };
}

/** An item about something that nobody wants any more. */
export type UndoItem = Item<never>;
