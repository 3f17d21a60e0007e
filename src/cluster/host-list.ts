/** Converts `--hosts a,b,c` and related options into the form of a spec. */

import { UsageError } from '../errors/mesosup-error.ts';
import { defaultRoles } from './build.ts';
import type { Role } from './cluster.ts';
import { parseHostAddress } from './host-address.ts';

export interface HostOptions {
  readonly name?: string;
  /** For example `a`, `admin@b:2222`. */
  readonly hosts?: readonly string[];
  /** The only host is this machine. */
  readonly local?: boolean;
  /** Names of the hosts with the role; defaults to `defaultRoles`. */
  readonly masters?: readonly string[];
  readonly agents?: readonly string[];
  readonly zookeeper?: readonly string[];
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
  readonly bastion?: string;
}

/** Returns the keys of a spec that the options replace. @throws UsageError */
export function overridesOf(options: HostOptions): Record<string, unknown> {
  const { name, user, port, key, bastion } = options;
  const ssh = present({ user, port: port === undefined ? undefined : String(port), key, bastion });
  return present({
    name,
    ssh: Object.keys(ssh).length > 0 ? ssh : undefined,
    hosts: hostsOf(options),
  });
}

function hostsOf(options: HostOptions): unknown[] | undefined {
  const { hosts, local, masters, agents, zookeeper } = options;
  if (local && hosts) throw new UsageError("--local and --hosts can't be combined: use one of them");
  const chosen = { '--masters': masters, '--agents': agents, '--zookeeper': zookeeper };
  const assigned = Object.entries(chosen).filter(([, names]) => names !== undefined);
  if (!hosts) {
    if (assigned.length > 0)
      throw new UsageError(`${assigned[0]?.[0]} needs --hosts: name all hosts with --hosts a,b,c`);
    return local ? [{ name: 'localhost', local: 'true' }] : undefined;
  }
  const names = hosts.map((typed) => parseHostAddress(typed)?.host ?? typed);
  const index = (typed: string) => names.indexOf(parseHostAddress(typed)?.host ?? typed);
  const sets = Object.fromEntries(
    assigned.map(([flag, wanted]) => {
      const strangers = wanted?.filter((typed) => index(typed) < 0) ?? [];
      if (strangers.length > 0) {
        throw new UsageError(
          `${flag} names ${strangers.join(', ')}, which is not among --hosts: add it to --hosts, or correct the name`,
        );
      }
      const set = new Set(wanted?.map(index));
      // A running cluster may pass through an even number; a new one can't start with it.
      if (flag !== '--agents' && set.size > 0 && set.size % 2 === 0)
        throw new UsageError(`${flag} names ${set.size} hosts: use an odd number`);
      return [flag, set];
    }),
  );
  return hosts.map((typed, i) => {
    const address = parseHostAddress(typed);
    if (!address || assigned.length === 0) return typed;
    const usual = defaultRoles(i, hosts.length);
    const has = (flag: string, role: Role) => sets[flag]?.has(i) ?? usual.includes(role);
    const master = has('--masters', 'master');
    const roles: Role[] = [];
    if (
      sets['--zookeeper']?.has(i) ??
      (sets['--masters'] ? master && sets['--masters'].size > 1 : has('', 'zookeeper'))
    ) {
      roles.push('zookeeper');
    }
    if (master) roles.push('master', 'scheduler');
    if (has('--agents', 'agent')) roles.push('agent');
    const ssh = present({ user: address.user, port: address.port?.toString() });
    return present({ name: address.host, roles, ssh: Object.keys(ssh).length > 0 ? ssh : undefined });
  });
}

function present(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
