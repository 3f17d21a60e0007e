/** Makes the spec of a cluster that others installed, so that its masters and agents keep their flags. */

import type { SpecInput } from '../../cluster/spec-schema.ts';
import { isJson, parseJson } from '../../json.ts';
import { keyValues } from '../agent-change.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE } from '../layout.ts';
import type { Problem } from '../plan.ts';
import type { AdoptedProcess, HostInput, SpecHostBlock } from './adopted-host.ts';
import { adoptedSecrets } from './adopted-secrets.ts';
import { type Found, findMesos } from './find-mesos.ts';
import { keptFlags } from './kept-flags.ts';
import { flagText, placeOf } from './process-flags.ts';

export interface AdoptInput {
  /** Overrides the name that the masters have. */
  readonly name: string | undefined;
  readonly ssh: SpecInput['ssh'];
  readonly hosts: readonly HostInput[];
}

type SpecFlags = Record<string, string>;

export interface Adopted {
  readonly spec: SpecInput;
  /** By name in the state of the cluster. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What mesosup does not keep, or does not manage, as problems that are warnings. */
  readonly notes: readonly Problem[];
}

/** Returns errors if the cluster can't be adopted. */
export function adoptCluster(input: AdoptInput): Adopted | { readonly errors: readonly Problem[] } {
  const { all, errors, notes } = findMesos(input.hosts);
  const masters = all.filter(({ process }) => process.role === 'master');
  const meeting = meetingPlace(all, errors);
  const name = nameOf(input, masters);
  const usesZooKeeper = meeting !== undefined;
  const { secrets, problems } = adoptedSecrets(all);
  errors.push(...problems.map((message) => problem(all[0]?.host ?? '', message, CREDENTIALS)));
  checkMasters(input, masters, usesZooKeeper, errors);
  const ports = { master: portOf(all, 'master', errors), agent: portOf(all, 'agent', errors) };
  const flags = new Map(
    all.map((one) => [one, flagsOf(one, { name, masters: masters.length, usesZooKeeper }, errors)] as const),
  );
  if (errors.length > 0) return { errors };
  const common = {
    master: commonFlags(all, flags, 'master'),
    agent: commonFlags(all, flags, 'agent'),
  };
  const hosts = input.hosts.flatMap(({ block }) => {
    const own = all.filter(({ host }) => host === block.name);
    return own.length === 0 ? [] : [hostBlock(block, own, flags, common)];
  });
  const changed = Object.entries({ master: '5050', agent: '5051' } as const).filter(
    ([role, usual]) => ports[role as keyof typeof ports] !== usual,
  );
  const spec: SpecInput = {
    name,
    mesos: mesosOf(all),
    docker: { source: input.hosts.some(({ found }) => found.hasDocker) ? 'preinstalled' : 'distribution' },
    ...(input.ssh && { ssh: input.ssh }),
    hosts,
    ...(Object.keys(common.master).length > 0 && { masterFlags: common.master }),
    ...(Object.keys(common.agent).length > 0 && { agentFlags: common.agent }),
    ...(changed.length > 0 && {
      ports: Object.fromEntries(changed.map(([role]) => [role, ports[role as keyof typeof ports]])),
    }),
    ...(meeting !== undefined && { zookeeper: meeting }),
  };
  return { spec, secrets, notes };
}

const CREDENTIALS = 'Correct it on the hosts, then run the same command again.';

export function problem(host: string, message: string, remedy: string): Problem {
  return { host, check: 'adopt', message, remedy, severity: 'error' };
}

/** Returns ZooKeeper's URL without a password, if ZooKeeper elects the master. */
function meetingPlace(all: readonly Found[], errors: Problem[]): string | undefined {
  const places = all.flatMap((one) => {
    const flag = one.process.role === 'master' ? 'zk' : 'master';
    const value = one.flags.get(flag);
    const text = value === undefined ? undefined : flagText(one.process, value);
    if (text === undefined) return [];
    const url = text.trim().replace(/^zk:\/\/[^@/]*@/, 'zk://');
    return [{ ...one, url, place: placeOf(one.process, flag) }];
  });
  const elected = places.filter(({ url }) => url.startsWith('zk://'));
  const [first] = elected;
  if (first === undefined) return undefined;
  for (const { host, url, place } of places) {
    if (sameEnsemble(url) === sameEnsemble(first.url)) continue;
    errors.push(
      problem(
        host,
        `${place}: the masters meet at ${url}, but those of ${first.host} at ${first.url} (${first.place})`,
        'Adopt hosts of one cluster at a time, each cluster with a file of its own.',
      ),
    );
  }
  return first.url;
}

/** The order of the servers does not matter. */
function sameEnsemble(url: string): string {
  const [servers = '', ...path] = url.replace(/^zk:\/\//, '').split('/');
  return `${servers.split(',').toSorted().join()}/${path.filter((part) => part !== '').join('/')}`;
}

/** mesosup's name, unless the masters have one that it can take. */
function nameOf({ name }: AdoptInput, masters: readonly Found[]): string {
  const found = masters[0]?.flags.get('cluster') ?? '';
  return name ?? (/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(found) ? found : 'mesosup');
}

function checkMasters(
  { hosts }: AdoptInput,
  masters: readonly Found[],
  usesZooKeeper: boolean,
  errors: Problem[],
): void {
  const [first] = masters;
  const host = hosts[0]?.block.name ?? '';
  if (first === undefined) {
    errors.push(
      problem(host, 'no master runs on the hosts', 'Name all hosts of the cluster, with its masters.'),
    );
    return;
  }
  const quorum = Number(first.flags.get('quorum') ?? '1');
  if (usesZooKeeper && masters.length < 2 * quorum - 1) {
    errors.push(
      problem(
        first.host,
        `${placeOf(first.process, 'quorum')}: a quorum of ${quorum} belongs to ${2 * quorum - 1} masters, but ${masters.length} of the hosts run one`,
        'Name all hosts of the cluster.',
      ),
    );
  }
}

function portOf(all: readonly Found[], role: AdoptedProcess['role'], errors: Problem[]): string {
  const usual = role === 'master' ? '5050' : '5051';
  const ports = all
    .filter(({ process }) => process.role === role)
    .map((one) => ({ ...one, port: one.flags.get('port') ?? usual }));
  const port = ports[0]?.port ?? usual;
  for (const other of ports.filter((one) => one.port !== port)) {
    errors.push(
      problem(
        other.host,
        `${placeOf(other.process, 'port')}: the ${role} has the port ${other.port}, but that of ${ports[0]?.host} has ${port}`,
        'mesosup manages clusters with the same port on all hosts.',
      ),
    );
  }
  return port;
}

function flagsOf(
  one: Found,
  cluster: { readonly name: string; readonly masters: number; readonly usesZooKeeper: boolean },
  errors: Problem[],
): SpecFlags {
  const { process, flags, layout, address, host } = one;
  const kept: SpecFlags = { ...keptFlags({ role: process.role, flags, layout, address, ...cluster }) };
  // Without the flag, Mesos finds the name of the host.
  if (!flags.has('hostname')) kept.hostname = '';
  for (const table of ['attributes', 'resources'] as const) {
    const text = flags.get(table);
    if (text !== undefined && tableOf(text) === undefined) kept[table] = text;
  }
  for (const [name, value] of Object.entries(kept)) {
    const line = /\p{Cc}/u.test(value) ? compact(value) : value;
    if (line !== undefined) kept[name] = line;
    else
      errors.push(
        problem(
          host,
          `${placeOf(process, name)}: the value of --${name} has several lines, which the cluster file can't have`,
          'Write it in one line, or into a file that the flag names.',
        ),
      );
  }
  return kept;
}

/** JSON in one line. */
function compact(text: string): string | undefined {
  const value = parseJson(text);
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Undefined for text that can't be a table of the spec, for example with roles. */
function tableOf(text: string): Record<string, string> | undefined {
  const pairs = keyValues(text);
  const isTable = pairs && [...pairs.keys()].every((key) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(key));
  return isTable ? Object.fromEntries(pairs) : undefined;
}

/** Flags that all hosts with the role have. */
function commonFlags(
  all: readonly Found[],
  flags: ReadonlyMap<Found, SpecFlags>,
  role: AdoptedProcess['role'],
): SpecFlags {
  const lists = all.filter(({ process }) => process.role === role).map((one) => flags.get(one) ?? {});
  return Object.fromEntries(
    Object.entries(lists[0] ?? {})
      .filter(([name, value]) => lists.every((one) => one[name] === value))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function hostBlock(
  block: SpecHostBlock,
  own: readonly Found[],
  flags: ReadonlyMap<Found, SpecFlags>,
  common: Readonly<Record<AdoptedProcess['role'], SpecFlags>>,
): SpecHostBlock {
  const agent = own.find(({ process }) => process.role === 'agent');
  const master = own.find(({ process }) => process.role === 'master');
  const address = own.find((one) => one.address !== undefined)?.address;
  const rest = (one: Found | undefined): SpecFlags => {
    if (one === undefined) return {};
    const shared = common[one.process.role];
    return Object.fromEntries(Object.entries(flags.get(one) ?? {}).filter(([name]) => !(name in shared)));
  };
  const hostname = (agent ?? master)?.flags.get('hostname');
  const masterFlags = rest(master);
  const other = master?.flags.get('hostname');
  if (agent && other !== undefined && other !== hostname) masterFlags.hostname = other;
  const table = (name: 'attributes' | 'resources') => tableOf(agent?.flags.get(name) ?? '') ?? {};
  return Object.fromEntries(
    Object.entries({
      ...block,
      privateAddress: address === block.name ? undefined : address,
      roles: own
        .map(({ process }) => process.role)
        .toSorted()
        .toReversed(),
      hostname: hostname === address ? undefined : hostname,
      attributes: table('attributes'),
      resources: table('resources'),
      masterFlags,
      agentFlags: rest(agent),
    }).filter(([, value]) => value !== undefined && !(isJson(value) && Object.keys(value).length === 0)),
  ) as SpecHostBlock;
}

/** The package, if all hosts have it in the same version. */
function mesosOf(all: readonly Found[]): SpecInput['mesos'] {
  const kinds = { clusterd: CLUSTERD_PACKAGE, mesosphere: LEGACY_PACKAGE } as const;
  for (const [source, name] of Object.entries(kinds)) {
    const layout = source === 'clusterd' ? 'clusterd' : 'legacy';
    const versions = new Set(all.map((one) => (one.layout === layout ? one.packages[name] : undefined)));
    const [version] = versions;
    if (versions.size === 1 && version !== undefined) {
      return { source: source as keyof typeof kinds, version };
    }
  }
  return { source: 'preinstalled' };
}
