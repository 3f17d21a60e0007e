/** The service of a Mesos master or agent, with flags as files for the package's wrapper, or as variables. */

import { type MesosService, PACKAGED_LAYOUTS, variableName } from '../layout.ts';
import type { Flags } from '../mesos-flags.ts';
import type { Targets } from '../probe-targets.ts';
import type { Resource } from '../resources/registry.ts';
import type { Edge, ServiceResource } from '../resources/service.ts';
import { isCustomDirectory, MESOS_STATE } from '../work-dirs.ts';
import { directory, file, maskedService, service, unitPath } from './build.ts';
import type { Context, Part } from './context.ts';
import { packageResource } from './mesos-package.ts';
import { mesosTlsFiles, mesosTlsVariables } from './tls.ts';

interface MesosServiceInput {
  readonly names: MesosService;
  readonly agent: boolean;
  readonly flags: Flags;
  /** By name: directories below that of the flags, in which each file is a key with its value. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly workDirectory: string;
  /** Files that the flags name. */
  readonly files: readonly Resource[];
  readonly after?: Edge;
}

/** Read recursively: drop-ins of other programs keep the directories. */
export const DROP_IN_TARGETS: Targets = {
  trees: PACKAGED_LAYOUTS.flatMap(({ master, agent }) => [master, agent]).map(dropInDirectory),
};

function dropInDirectory({ service }: MesosService): string {
  return `/etc/systemd/system/${service}.service.d`;
}

export function mesosService(context: Context, input: MesosServiceInput): Part {
  const { names, files } = input;
  const own = context.layout.kind === 'own';
  const wanted = packageResource(context.cluster.mesos);
  const settings = own ? variables(context, input) : flagFiles(context, input);
  const tlsService = input.agent ? 'agent' : 'master';
  const read = [...files, ...mesosTlsFiles(context, tlsService), ...settings, ...units(context, input)];
  const inputs = [...(wanted ? [wanted] : []), ...read];
  const edge = input.after && { after: input.after };
  return {
    configuration: [directory(MESOS_STATE), ...workDirectory(context, input.workDirectory), ...read],
    services: [service(context, names.service, inputs, edge)],
  };
}

/** An existing directory that the spec sets keeps its owner, group and mode. */
function workDirectory({ own }: Context, path: string): Resource[] {
  const found = own.files[path];
  if (found === undefined || !isCustomDirectory(path)) return [directory(path)];
  // For example a link to another directory.
  if (found.type !== 'directory') return [];
  const { owner, group, mode } = found;
  return [{ kind: 'directory', path, owner, group, mode }];
}

/** Masks the service of a role that the host lacks, since the package contains both services. */
export function unwantedService(context: Context, names: MesosService): ServiceResource[] {
  const comes = context.layout.kind !== 'own' && context.host.roles.some(isMesos);
  return comes ? [maskedService(names.service)] : [];
}

function isMesos(role: string): boolean {
  return role === 'master' || role === 'agent';
}

function flagFiles(context: Context, { names, flags, tables }: MesosServiceInput): Resource[] {
  const files = [...flags].map(([name, value]) =>
    value === '' || name.startsWith('no-')
      ? file(`${names.flags}/?${name}`, '')
      : file(`${names.flags}/${name}`, `${value}\n`),
  );
  const keys = Object.entries(tables).flatMap(([table, values]) => [
    directory(`${names.flags}/${table}`, { only: Object.keys(values).toSorted() }),
    ...Object.entries(values).map(([key, value]) => file(`${names.flags}/${table}/${key}`, `${value}\n`)),
  ]);
  const only = [...files.map(({ path }) => path.slice(names.flags.length + 1)), ...Object.keys(tables)];
  return [
    directory(names.flags, { only: only.toSorted() }),
    ...files,
    ...keys,
    ...defaults(context, names.defaults),
  ];
}

/** Overwrites the files of variables, since their variables would become additional flags. */
function defaults({ layout, render, topology }: Context, path: string): Resource[] {
  const flags = [layout.master.flags, layout.agent.flags];
  const files = ['/etc/default/mesos', path].map((one) =>
    file(one, render('config/mesos-defaults', { flags })),
  );
  if (layout.kind !== 'legacy' || !topology.usesZooKeeper) return files;
  // Other programs of that time read this file. As readers they need no secret.
  return [directory('/etc/mesos'), file('/etc/mesos/zk', `${topology.mesosForReaders}\n`), ...files];
}

function variables(context: Context, { names, agent, flags, tables }: MesosServiceInput): Resource[] {
  const all = new Map<string, string>();
  for (const [name, value] of flags) {
    const off = name.startsWith('no-');
    all.set(
      variableName(off ? name.slice('no-'.length) : name),
      off ? 'false' : value === '' ? 'true' : value,
    );
  }
  for (const [table, values] of Object.entries(tables)) {
    const text = Object.entries(values).map(([key, value]) => `${key}:${value}`);
    if (text.length > 0) all.set(variableName(table), text.join(';'));
  }
  const content = context.render('config/mesos-environment', {
    service: names.service,
    variables: [...all, ...mesosTlsVariables(context, agent ? 'agent' : 'master')],
  });
  return [file(names.defaults, content, { note: 'flags' })];
}

/** Keeps the package's unit and adds a drop-in. Writes a unit only if there is no package. */
function units(context: Context, { names, agent }: MesosServiceInput): Resource[] {
  const { layout, own, render } = context;
  if (layout.kind === 'own') {
    const template = own.init === 'upstart' ? 'upstart/mesos.conf' : 'systemd/mesos.service';
    const data = { agent, program: names.program, defaults: names.defaults };
    return [file(unitPath(context, names.service), render(template, data))];
  }
  if (own.init === 'upstart') return [];
  const drop = dropInDirectory(names);
  const variables = mesosTlsVariables(context, agent ? 'agent' : 'master');
  const text = render('systemd/mesos-drop-in.conf', { agent, variables });
  return [directory(drop), file(`${drop}/mesosup.conf`, text)];
}
