/** Each item of a plan as lines for the shell. */

import { reveal, type Secrets } from '../../cluster/secrets.ts';
import { quote } from '../../hosts/quote.ts';
import type { FileFacts, JournalEntry } from '../facts.ts';
import type { PlanItem } from '../plan.ts';
import type { FileResource, PackageResource, Resource, ServiceResource } from '../resources.ts';
import { pathWord } from './path-word.ts';
import { LISTS_STALE, PAYLOADS, STATE } from './places.ts';
import { unitName } from './unit-name.ts';

/** What steps need besides the plan. */
export interface StepContext {
  /** What was on the host before us, for `restore`. */
  readonly journal: readonly JournalEntry[];
  /** Missing only where no file of the plan holds a secret. */
  readonly secrets: Secrets | undefined;
  /** Where the agent keeps its state. */
  readonly agentWorkDir: string;
  /** The cluster's name. */
  readonly cluster: string;
}

/** An item of a host's plan, with its number there. */
export interface Numbered {
  readonly item: PlanItem;
  readonly index: number;
}

/** `kind:name` apart. */
export function idParts(id: string): { kind: string; name: string } {
  const colon = id.indexOf(':');
  return { kind: id.slice(0, colon), name: id.slice(colon + 1) };
}

const jsonWord = (path: string) => quote(JSON.stringify(path));

/** Lines that put into the journal what the item's thing is before it is changed. */
export function keepLines({ item }: Numbered): string[] {
  const { resource, action } = item;
  if (resource === undefined || action === 'restore') return [];
  switch (resource.kind) {
    case 'file':
    case 'apt-key':
      return [`keep file ${quote(resource.path)} ${jsonWord(resource.path)}`];
    case 'directory':
    case 'link':
      return [`keep ${resource.kind} ${quote(resource.path)} ${jsonWord(resource.path)}`];
    case 'absent':
      return [`keep_tree ${pathWord(resource.path)}`];
    case 'user':
      return [`keep_user ${quote(resource.name)}`];
    case 'service':
      return [`keep_service ${quote(resource.name)} ${quote(unitName(resource.name))}`];
    default:
      return [];
  }
}

/**
 * Lines that do one item, whatever was done of it before. Packages are done together: see `packageWords`.
 * @throws TypeError for an item that is not one of a plan
 */
export function stepLines(numbered: Numbered, context: StepContext): string[] {
  const { item } = numbered;
  if (item.action === 'repair') return ['repair'];
  if (item.action === 'restore') return restoreLines(item, context);
  if (item.resource === undefined) {
    if (item.action === 'remove') return removeLines(item, context);
    if (item.action === 'stop') return stopLines(item, context);
    throw new TypeError(`the plan's item ${item.id}: ${item.action} says not what it wants`);
  }
  return item.resource.kind === 'service'
    ? serviceLines(item, item.resource, context)
    : resourceLines(item.resource, context);
}

function resourceLines(resource: Exclude<Resource, ServiceResource>, context: StepContext): string[] {
  switch (resource.kind) {
    case 'file':
      return fileLines(resource, context);
    case 'directory': {
      const { path, owner, group, mode, only } = resource;
      const made = `make_directory ${[path, owner, group, mode].map(quote).join(' ')}`;
      return only ? [made, `only ${[path, ...only].map(quote).join(' ')}`] : [made];
    }
    case 'link':
      return [`link ${quote(resource.path)} ${quote(resource.target)}`];
    case 'absent':
      return [`discard ${pathWord(resource.path)}`];
    case 'apt-key':
      if (resource.content === undefined) throw new TypeError(`the key for ${resource.path} was not fetched`);
      return [
        `: >${LISTS_STALE}`,
        ...putLines(resource.path, 'root', 'root', '0644', Buffer.from(resource.content, 'base64')),
      ];
    case 'user':
      return [`make_user ${[resource.name, resource.home, ...resource.groups].map(quote).join(' ')}`];
    case 'payload':
      return [`unpack ${quote(resource.version)} ${quote(resource.sha256)}`];
    case 'package':
      throw new TypeError('packages are done together');
  }
}

function fileLines(file: FileResource, { secrets }: StepContext): string[] {
  const text = secrets ? reveal(file.content, secrets) : file.content;
  const put = putLines(file.path, file.owner, file.group, file.mode, Buffer.from(text));
  return file.aptSource ? [`: >${LISTS_STALE}`, ...put] : put;
}

function putLines(path: string, owner: string, group: string, mode: string, content: Buffer): string[] {
  const base64 = content.toString('base64').match(/.{1,120}/g) ?? [];
  return [`put ${[path, owner, group, mode].map(quote).join(' ')} <<'END'`, ...base64, 'END'];
}

function serviceLines(item: PlanItem, service: ServiceResource, context: StepContext): string[] {
  const latest = quote(`${context.agentWorkDir}/meta/slaves/latest`);
  const names = `${quote(service.name)} ${quote(unitName(service.name))}`;
  const wanted = service.masked ? 'masked' : service.enabled ? 'enabled' : 'disabled';
  const enable = `set_enabled ${names} ${wanted}`;
  switch (item.action) {
    case 'start':
    case 'restart': {
      const run = `run_service ${item.action} ${names} ${quote(service.inputs)}`;
      const wait = service.after ? [`wait_edge ${service.after}`] : [];
      return [...(service.enabled ? [enable] : []), ...wait, run];
    }
    case 'stop':
      return [`stop_service ${names}`, ...(service.enabled ? [] : [enable])];
    case 'disable':
      if (item.endsTasks !== undefined)
        return [`replace_agent ${names} ${latest}`, enable, endTasks(context)];
      return service.masked ? [`stop_service ${names}`, enable] : [enable];
    case 'enable':
      return [enable];
    case 'reload':
      return ['reload=yes', `reload_units ${quote(unitName(service.name))}`];
    case 'replace-agent':
      return [`replace_agent ${names} ${latest}`];
    default:
      throw new TypeError(`the plan's item ${item.id} has an action that no service knows: ${item.action}`);
  }
}

/**
 * By the index of an item, the lines to run before it is done: the checks of services that start or restart. A check
 * that fails leaves the service and its settings as they are.
 */
export function checkLines(items: readonly Numbered[]): ReadonlyMap<number, readonly string[]> {
  const lines = items.filter(isWatched).flatMap(({ item: { resource }, index }) => {
    if (resource?.kind !== 'service' || resource.check === undefined) return [];
    const { command, properties, before } = resource.check;
    const first = items.find(({ item }) => before.includes(item.id))?.index ?? index;
    // systemd expands variables in a command's words.
    const words = command.map((word) => word.replaceAll('$', '$$$$'));
    const all = [resource.name, ...properties.map((property) => `--property=${property}`), ...words];
    return [[Math.min(first, index), `check_service ${all.map(quote).join(' ')}`] as const];
  });
  return new Map([...Map.groupBy(lines, ([at]) => at)].map(([at, of]) => [at, of.map(([, line]) => line)]));
}

/** True of an item that has a service start at boot from now on. */
export function isEnabled({ item }: Numbered): boolean {
  return (
    item.resource?.kind === 'service' &&
    item.resource.enabled &&
    (item.action === 'start' || item.action === 'restart' || item.action === 'enable')
  );
}

/** True of an item that is done only when its service has stayed up for a while. */
export function isWatched({ item }: Numbered): boolean {
  return item.resource?.kind === 'service' && (item.action === 'start' || item.action === 'restart');
}

/** For good, as an uninstall does. What was enabled before us stays so. */
function stopLines({ id }: PlanItem, { journal }: StepContext): string[] {
  const { name } = idParts(id);
  const names = `${quote(name)} ${quote(unitName(name))}`;
  const entry = journal.find((known) => known.kind === 'service' && known.name === name);
  const was = entry?.kind === 'service' ? entry.before.enabled : 'unknown';
  const disable = was === 'disabled' || was === 'unknown' ? [`drop_enabled ${names}`] : [];
  return [`stop_service ${names}`, ...disable];
}

function endTasks({ agentWorkDir, cluster }: StepContext): string {
  return `end_tasks ${quote(agentWorkDir)} ${quote(cluster)}`;
}

/** Things nobody wants any more, which no journal has to remember. */
function removeLines({ id, whole, endsTasks }: PlanItem, context: StepContext): string[] {
  const { kind, name } = idParts(id);
  switch (kind) {
    case 'user':
      return [`remove_user ${quote(name)}`];
    case 'payload':
      return [`discard ${quote(`${PAYLOADS}/${name}`)}`];
    case 'service': {
      const names = `${quote(name)} ${quote(unitName(name))}`;
      return [
        ...(whole ? [`end_engine ${names}`] : []),
        `stop_service ${names}`,
        `set_enabled ${names} disabled`,
        ...(endsTasks === undefined ? [] : [endTasks(context)]),
      ];
    }
    case 'package':
      throw new TypeError('packages are done together');
    case 'directory':
      // This program's own goes at the very end of an uninstall.
      if (name === STATE) return [];
      return [`${whole ? 'discard' : 'gone'} ${pathWord(name)}`];
    default:
      return [`gone ${pathWord(name)}`];
  }
}

function restoreLines(item: PlanItem, { journal }: StepContext): string[] {
  const { kind, name } = idParts(item.id);
  const entry = journal.find((known) =>
    'path' in known ? known.path === name && kind !== 'service' : known.kind === kind && known.name === name,
  );
  if (!entry) throw new TypeError(`the host's journal knows nothing of ${item.id}`);
  switch (entry.kind) {
    case 'service': {
      const { enabled, running } = entry.before;
      return [`restore_service ${quote(name)} ${quote(unitName(name))} ${enabled} ${running}`];
    }
    case 'user':
      return entry.before === 'absent'
        ? [`remove_user ${quote(name)}`]
        : [`leave_groups ${[name, ...entry.before.groups].map(quote).join(' ')}`];
    case 'package':
      return entry.before === 'absent' ? [] : [`say ${quote(`${name} stays as it is`)}`];
    default:
      return entry.before === 'absent'
        ? [`gone ${pathWord(name)}`]
        : putBack(name, entry.before.facts, entry.before.backup);
  }
}

function putBack(path: string, { type, owner, group, mode, target }: FileFacts, backup: string): string[] {
  const access = [owner, group, mode].map(quote).join(' ');
  switch (type) {
    case 'file':
      return [`put_back ${pathWord(path)} ${access} ${quote(backup)}`];
    case 'directory':
      return [`make_directory ${pathWord(path)} ${access}`];
    case 'link':
      return [`link ${pathWord(path)} ${pathWord(target ?? '')}`];
    case 'other':
      return [
        `say "${'$'}(printf %s ${pathWord(path)}) can not be restored: it was neither file, directory nor link"`,
      ];
  }
}

export type PackageWork = 'install' | 'remove' | 'purge' | 'restore';

/** Whether a package is brought or taken away, for those that can be done together; undefined of anything else. */
export function packageWork({ item }: Numbered, journal: readonly JournalEntry[]): PackageWork | undefined {
  const { kind, name } = idParts(item.id);
  if (kind !== 'package' || item.action === 'repair') return undefined;
  if (item.byApt) return 'install';
  if (item.action === 'remove') return item.whole ? 'purge' : 'remove';
  if (item.action === 'restore') {
    const entry = journal.find((known) => known.kind === 'package' && known.name === name);
    if (entry?.kind !== 'package') return undefined;
    return entry.before === 'absent' ? 'remove' : entry.removed ? 'restore' : undefined;
  }
  return 'install';
}

/** Lines that do packages together, in one run of apt-get. @throws TypeError for a file without its SHA-256 */
export function packageLines(
  work: PackageWork,
  items: readonly Numbered[],
  journal: readonly JournalEntry[],
): string[] {
  const names = items.flatMap(({ item }) => (item.byApt ? [] : [idParts(item.id).name]));
  const what = `packages=${quote(names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '))}`;
  if (work === 'restore') {
    const words = journal.flatMap((entry) =>
      entry.kind === 'package' && entry.before !== 'absent' && names.includes(entry.name)
        ? [quote(`${entry.name}=${entry.before.version}`)]
        : [],
    );
    return [what, `restore_packages ${words.join(' ')}`];
  }
  if (work !== 'install') return [what, `drop_packages ${work} ${names.map(quote).join(' ')}`];
  const before: string[] = [];
  const wanted = items.filter(({ item }) => !item.byApt);
  // Where a repository has such a package, apt removes it only when it is told so.
  const removals = items.filter(({ item }) => item.byApt && item.action === 'remove');
  const words = wanted.map(({ item }) => {
    if (item.resource?.kind !== 'package') throw new TypeError(`the plan's item ${item.id} names no package`);
    const file = packageFile(item.resource);
    before.push(...file.before);
    return file.word;
  });
  const numbers = wanted.map(({ item, index }) => `${idParts(item.id).name}=${index} `).join('');
  const all = [...words, ...removals.map(({ item }) => quote(`${idParts(item.id).name}-`))];
  return [what, `package_items=${quote(numbers)}`, ...before, `install_packages ${all.join(' ')}`];
}

function packageFile({ name, version, file, sha256 }: PackageResource): { before: string[]; word: string } {
  if (!file) return { before: [], word: quote(version === undefined ? name : `${name}=~${version}`) };
  if (sha256 === undefined) throw new TypeError(`the package file of ${name} has no SHA-256`);
  const word = `"$dir"/${quote(`${name}.deb`)}`;
  return 'url' in file
    ? { before: [`fetch_package ${quote(file.url)} ${quote(sha256)} ${word}`], word }
    : { before: [`take_package ${quote(sha256)} ${word}`], word };
}
