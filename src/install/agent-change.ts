/**
 * Checks if an agent can keep its identity after a change. With `reconfiguration_policy=additive`, attributes and
 * resources may be added. If an attribute changes or is removed, a resource shrinks, or the host name or port changes,
 * the agent exits with "Incompatible agent info": it must be replaced by a new agent, and its tasks end.
 */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { detectedResource, resourceCovers } from './agent-resources.ts';
import type { Facts } from './facts.ts';
import { type MesosLayout, mesosLayout, PACKAGED_LAYOUTS, variableName } from './layout.ts';
import type { FileResource } from './resources/file.ts';
import type { Resource } from './resources/registry.ts';
import { absolutePath, agentWorkDir } from './work-dirs.ts';

/** Flags whose change makes a new agent necessary. */
const IDENTITY = ['hostname', 'port', 'work_dir', 'attributes', 'resources'] as const;

/** Lists the changes that make a new agent necessary, as texts for people. */
export function findIncompatibilities(
  facts: Facts,
  wanted: readonly Resource[],
  layout: MesosLayout,
): readonly string[] {
  const then = presentAgent(facts, layout);
  const files = new Map(
    wanted.filter((one): one is FileResource => one.kind === 'file').map((one) => [one.path, one.content]),
  );
  const now = readAgent(layout, (path) => files.get(path), [...files.keys()]);
  return [
    ...IDENTITY.filter((flag) => identityOf(then, flag) !== identityOf(now, flag)).map(
      (flag) => `the ${flag} changes`,
    ),
    ...attributeChanges(then.attributes, now.attributes),
    ...resourceChanges(then.resources, now.resources, facts),
  ];
}

/** The port of an agent without the flag. */
const DEFAULT_PORT = '5051';

function identityOf({ flags }: AgentConfiguration, flag: (typeof IDENTITY)[number]): string | undefined {
  return flags.get(flag) ?? (flag === 'port' ? DEFAULT_PORT : undefined);
}

interface AgentConfiguration {
  readonly flags: ReadonlyMap<string, string>;
  readonly attributes: ReadonlyMap<string, string>;
  readonly resources: ReadonlyMap<string, string>;
}

/**
 * Reads the present configuration: the flags with which the agent runs, or else its files, in the form that the installed
 * package uses.
 */
function presentAgent(facts: Facts, layout: MesosLayout): AgentConfiguration {
  const running = new Map(Object.entries(facts.agentFlags ?? {}));
  if (running.has('work_dir')) return withTables(running);
  const forms = [layout, ...PACKAGED_LAYOUTS, { ...layout, kind: 'own' as const }];
  const all = forms.map((form) =>
    readAgent(form, (path) => facts.files[path]?.text, Object.keys(facts.files)),
  );
  return (
    all.find(({ flags }) => flags.has('work_dir')) ?? {
      flags: new Map(),
      attributes: new Map(),
      resources: new Map(),
    }
  );
}

/** Returns the work directory of the installed agent, or else of the wanted one. */
export function presentAgentWorkDir(cluster: Cluster, host: ClusterHost, facts: Facts): string {
  const flag = presentAgent(facts, mesosLayout(cluster, facts)).flags.get('work_dir');
  return (flag === undefined ? undefined : absolutePath(flag)) ?? agentWorkDir(cluster, host);
}

type ReadText = (path: string) => string | undefined;

function readAgent(layout: MesosLayout, text: ReadText, paths: readonly string[]): AgentConfiguration {
  const { flags, defaults } = layout.agent;
  if (layout.kind === 'own') return readVariables(text(defaults) ?? '');
  const table = (directory: string) =>
    new Map(
      paths
        .filter((path) => path.startsWith(`${directory}/`) && !path.slice(directory.length + 1).includes('/'))
        .flatMap((path) => {
          const value = text(path);
          return value === undefined ? [] : [[path.slice(directory.length + 1), value.trim()] as const];
        }),
    );
  const { attributes, resources, ...rest } = withTables(table(flags));
  return {
    ...rest,
    attributes: new Map([...attributes, ...table(`${flags}/attributes`)]),
    resources: new Map([...resources, ...table(`${flags}/resources`)]),
  };
}

/** Splits the flags `attributes` and `resources` into tables, unless they are JSON. */
function withTables(all: ReadonlyMap<string, string>): AgentConfiguration {
  const flags = new Map(all);
  const table = (name: string): Table => {
    const pairs = keyValues(flags.get(name) ?? '');
    if (pairs === undefined) return new Map();
    flags.delete(name);
    return pairs;
  };
  return { attributes: table('attributes'), resources: table('resources'), flags };
}

/** Parses `rack:a;ssd:true`. Undefined for another form, for example JSON. */
export function keyValues(text: string): ReadonlyMap<string, string> | undefined {
  if (/^\s*[[{]/.test(text)) return undefined;
  const pairs = text.split(';').filter((pair) => pair.trim() !== '');
  if (!pairs.every((pair) => pair.includes(':'))) return undefined;
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf(':');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
    }),
  );
}

function readVariables(text: string): AgentConfiguration {
  const variables = new Map(
    [...text.matchAll(/^(\w+)="((?:[^"\\]|\\.)*)"$/gm)].map(
      ([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')] as const,
    ),
  );
  return withTables(
    new Map(
      IDENTITY.flatMap((flag) => {
        const value = variables.get(variableName(flag));
        return value === undefined ? [] : [[flag, value] as const];
      }),
    ),
  );
}

type Table = ReadonlyMap<string, string>;

function attributeChanges(then: Table, now: Table): string[] {
  return [...then].flatMap(([key, value]) => {
    if (!now.has(key)) return [`the attribute ${key} is removed`];
    return now.get(key) === value ? [] : [`the attribute ${key} changes from ${value} to ${now.get(key)}`];
  });
}

function resourceChanges(then: Table, now: Table, facts: Facts): string[] {
  return [...new Set([...then.keys(), ...now.keys()])].toSorted().flatMap((name) => {
    const before = then.get(name) ?? detectedResource(name, facts);
    const after = now.get(name) ?? detectedResource(name, facts);
    if (before === after || (before !== undefined && after !== undefined && resourceCovers(after, before)))
      return [];
    const text = (value: string | undefined) => value ?? 'the amount that Mesos finds';
    return [`the resource ${name} may shrink, from ${text(before)} to ${text(after)}`];
  });
}
