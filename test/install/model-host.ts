/** A model of a host: applies a plan to facts, so that the host can be planned again. */

import { reveal, type Secrets } from '../../src/cluster/secrets.ts';
import type { Facts } from '../../src/install/facts.ts';
import type { FileFacts, PackageFacts, ServiceFacts } from '../../src/install/host-facts.ts';
import type { HostPlan, PlanItem } from '../../src/install/plan.ts';
import type { DirectoryResource } from '../../src/install/resources/directory.ts';
import type { JournalEntry, Resource } from '../../src/install/resources/registry.ts';
import type { ServiceResource } from '../../src/install/resources/service.ts';
import { CLUSTER, STARTED } from '../../src/install/script/places.ts';
import { directoryFacts, serviceFacts, sha256, secrets as usualSecrets } from './hosts.ts';

/** Services of packages. */
const BROUGHT: Readonly<Record<string, readonly [name: string, enabled: ServiceFacts['enabled']][]>> = {
  'docker.io': [['docker', 'enabled']],
  'docker-ce': [['docker', 'enabled']],
  'aventer-mesos': [
    ['mesos-master', 'disabled'],
    ['mesos-agent', 'disabled'],
  ],
  haproxy: [['haproxy', 'enabled']],
  mesos: [
    ['mesos-master', 'enabled'],
    ['mesos-slave', 'enabled'],
  ],
};

interface Draft {
  files: Record<string, FileFacts>;
  packages: Record<string, PackageFacts>;
  users: Record<string, { uid: number; groups: readonly string[] }>;
  services: Record<string, ServiceFacts>;
  journal: JournalEntry[];
  payloads: string[];
  broken: readonly string[];
  agent: string;
  upstart: boolean;
}

let agents = 0;

/** Returns the host after the first `count` items of its plan, by default after all items. */
export function applyToFacts(
  facts: Facts,
  plan: HostPlan,
  count = plan.items.length,
  secrets: Secrets = usualSecrets,
): Facts {
  const draft: Draft = {
    files: { ...facts.files },
    packages: { ...facts.packages },
    users: { ...facts.users },
    services: { ...facts.services },
    journal: [...facts.mesosup.journal],
    payloads: [...facts.mesosup.payloads],
    broken: facts.dpkg.broken,
    agent: facts.agent.id,
    upstart: facts.init === 'upstart',
  };
  for (const item of plan.items.slice(0, count)) applyItem(draft, item, secrets);
  const current = draft.files['/opt/mesosup/current']?.target ?? '';
  // The result of the simulation is outdated.
  const { apt: _apt, ...rest } = facts;
  return {
    ...rest,
    files: draft.files,
    packages: draft.packages,
    users: draft.users,
    services: draft.services,
    dpkg: { ...facts.dpkg, broken: draft.broken },
    agent: { ...facts.agent, id: draft.agent },
    mesosup: {
      ...facts.mesosup,
      cluster: draft.files[CLUSTER]?.text?.trim() ?? '',
      started: draft.files[STARTED] !== undefined,
      current,
      payloads: draft.payloads,
      journal: draft.journal,
    },
  };
}

function applyItem(draft: Draft, item: PlanItem, secrets: Secrets): void {
  if (item.action === 'repair') {
    draft.broken = [];
  } else if (item.byApt) {
    loseByApt(draft, item);
  } else if (item.resource === undefined) {
    undo(draft, item);
  } else if (item.resource.kind === 'service') {
    applyService(draft, item, item.resource);
  } else {
    applyResource(draft, item.resource, secrets);
  }
}

function applyResource(draft: Draft, resource: Exclude<Resource, ServiceResource>, secrets: Secrets): void {
  switch (resource.kind) {
    case 'file': {
      const { path, content, mode, owner, group } = resource;
      keepPath(draft, 'file', path);
      const text = reveal(content, secrets);
      const open = Number.parseInt(mode, 8) % 8 >= 4;
      draft.files[path] = {
        type: 'file',
        mode,
        owner,
        group,
        sha256: sha256(text),
        ...(open && { text }),
      };
      unitComes(draft, path);
      return;
    }
    case 'directory':
      applyDirectory(draft, resource);
      return;
    case 'link':
      keepPath(draft, 'link', resource.path);
      draft.files[resource.path] = { ...directoryFacts(), type: 'link', target: resource.target };
      return;
    case 'absent':
      dropPath(draft, resource.path);
      return;
    case 'apt-key':
      keepPath(draft, 'file', resource.path);
      draft.files[resource.path] = { ...directoryFacts(), type: 'file', mode: '0644' };
      return;
    case 'package':
      applyPackage(draft, resource.name, resource.version);
      return;
    case 'user': {
      const found = draft.users[resource.name];
      keep(draft, { kind: 'user', name: resource.name, before: found ? { groups: found.groups } : 'absent' });
      const groups = new Set([...(found?.groups ?? [resource.name]), ...resource.groups]);
      draft.users[resource.name] = { uid: found?.uid ?? 999, groups: [...groups] };
      return;
    }
    case 'payload':
      draft.payloads.push(resource.version);
      return;
    case 'image':
      throw new Error('the model has no images');
  }
}

function applyDirectory(draft: Draft, { path, mode, owner, group, only }: DirectoryResource): void {
  keepPath(draft, 'directory', path);
  draft.files[path] = { type: 'directory', mode, owner, group };
  if (only === undefined) return;
  for (const stray of Object.keys(draft.files)) {
    const name = stray.startsWith(`${path}/`) ? (stray.slice(path.length + 1).split('/')[0] ?? '') : '';
    if (name !== '' && !only.includes(name)) dropPath(draft, stray);
  }
}

function applyPackage(draft: Draft, name: string, version = '1.11.0'): void {
  const found = draft.packages[name];
  keep(draft, { kind: 'package', name, before: found ? { version: found.version } : 'absent' });
  draft.packages[name] = { version: `${version}.debian12`, status: 'install ok installed' };
  for (const [service, enabled] of BROUGHT[name] ?? []) {
    draft.services[service] ??= serviceFacts({ enabled, state: 'stopped', pid: 0 });
  }
  if (name === 'zookeeper') {
    draft.files['/var/lib/zookeeper'] ??= directoryFacts({
      mode: '0750',
      owner: 'zookeeper',
      group: 'zookeeper',
    });
    draft.users.zookeeper ??= { uid: 110, groups: ['zookeeper'] };
  }
}

/** Records changes like apt's hook. */
function loseByApt(draft: Draft, { id, action }: PlanItem): void {
  const name = id.slice(id.indexOf(':') + 1);
  const before = { version: draft.packages[name]?.version ?? '' };
  const removed = action === 'remove';
  keep(draft, { kind: 'package', name, before, ...(removed && { removed }) });
  if (removed) delete draft.packages[name];
}

/** An init system knows a unit or job as soon as its file exists. Upstart's jobs start at boot by default. */
function unitComes(draft: Draft, path: string): void {
  const unit =
    /^\/etc\/systemd\/system\/([^/]+?)(\.service)?$/.exec(path)?.[1] ??
    /^\/etc\/init\/(.+)\.conf$/.exec(path)?.[1];
  if (unit === undefined) return;
  const enabled = draft.upstart ? 'enabled' : 'disabled';
  draft.services[unit] ??= serviceFacts({ enabled, state: 'stopped', pid: 0, file: path });
}

function applyService(draft: Draft, { action }: PlanItem, resource: ServiceResource): void {
  const { name } = resource;
  const found = draft.services[name];
  const before = { enabled: found?.enabled ?? 'unknown', running: found?.state === 'running' };
  keep(draft, { kind: 'service', name, before });
  // The agent may have run under another service name before.
  if (found === undefined && action === 'replace-agent') {
    draft.agent = '';
    return;
  }
  if (found === undefined && !resource.masked) throw new Error(`${action} of ${name}, which is not there`);
  const now = found ?? serviceFacts({ state: 'stopped', pid: 0 });
  const isAgent = name === 'mesos-agent' || name === 'mesos-slave';
  const enabled = resource.masked ? 'masked' : resource.enabled ? 'enabled' : 'disabled';
  switch (action) {
    case 'start':
    case 'restart':
      draft.services[name] = {
        ...now,
        enabled: resource.enabled ? enabled : now.enabled,
        state: 'running',
        inputs: resource.inputs,
        needsReload: false,
      };
      if (isAgent && draft.agent === '') {
        agents += 1;
        draft.agent = `agent-${agents}`;
      }
      return;
    case 'stop':
      draft.services[name] = { ...now, enabled: resource.enabled ? now.enabled : enabled, state: 'stopped' };
      return;
    case 'enable':
    case 'disable':
      draft.services[name] = { ...now, enabled, state: resource.masked ? 'stopped' : now.state };
      return;
    case 'reload':
      draft.services[name] = { ...now, needsReload: false };
      return;
    case 'replace-agent':
      draft.agent = '';
      draft.services[name] = { ...now, state: 'stopped' };
      return;
    default:
      throw new Error(`services don't support the action ${action}`);
  }
}

/** Applies items without a resource: undoes the journal in reverse. */
function undo(draft: Draft, { id, action, whole }: PlanItem): void {
  const kind = id.slice(0, id.indexOf(':'));
  const name = id.slice(id.indexOf(':') + 1);
  const entry = draft.journal.find((one) =>
    'path' in one ? one.path === name : one.name === name && one.kind === kind,
  );
  switch (kind) {
    case 'service':
      undoService(draft, name, action, entry);
      return;
    case 'package':
      if (action === 'restore' && entry?.kind === 'package' && entry.before !== 'absent') {
        draft.packages[name] = { version: entry.before.version, status: 'install ok installed' };
        return;
      }
      delete draft.packages[name];
      for (const [service] of BROUGHT[name] ?? []) delete draft.services[service];
      return;
    case 'user':
      if (entry?.kind === 'user' && entry.before !== 'absent') {
        draft.users[name] = { uid: 1000, groups: entry.before.groups };
      } else delete draft.users[name];
      return;
    case 'payload':
      draft.payloads = draft.payloads.filter((version) => version !== name);
      return;
    default:
      undoPath(draft, name, action === 'restore' ? entry : undefined, whole === true);
  }
}

function undoService(draft: Draft, name: string, action: string, entry: JournalEntry | undefined): void {
  const now = draft.services[name];
  if (now === undefined) return;
  if (action === 'remove') {
    draft.services[name] = { ...now, enabled: 'disabled', state: 'stopped' };
  } else if (entry?.kind === 'service') {
    const { enabled, running } = entry.before;
    draft.services[name] = {
      ...now,
      inputs: '',
      enabled: enabled === 'unknown' ? 'disabled' : enabled,
      state: running ? 'running' : 'stopped',
    };
  }
}

function undoPath(draft: Draft, path: string, entry: JournalEntry | undefined, whole: boolean): void {
  if (entry !== undefined && 'path' in entry && entry.before !== 'absent') {
    draft.files[path] = entry.before.facts;
    return;
  }
  const beneath = Object.keys(draft.files).filter((one) => one.startsWith(`${path}/`));
  if (draft.files[path]?.type === 'directory' && beneath.length > 0 && !whole) return;
  for (const one of beneath) delete draft.files[one];
  delete draft.files[path];
  const unit = /^\/etc\/(?:systemd\/system|init)\/([^/]+?)(?:\.service|\.conf)?$/.exec(path)?.[1];
  if (unit !== undefined) delete draft.services[unit];
}

function dropPath(draft: Draft, path: string): void {
  keepPath(draft, 'file', path);
  delete draft.files[path];
}

function keepPath(draft: Draft, kind: 'file' | 'directory' | 'link', path: string): void {
  const found = draft.files[path];
  // The journal does not store texts.
  const { text: _text, ...facts } = found ?? { text: '' };
  keep(draft, {
    kind,
    path,
    before: found === undefined ? 'absent' : { facts: facts as FileFacts, backup: found.sha256 ?? '' },
  });
}

/** Records only the first change of a resource. */
function keep(draft: Draft, entry: JournalEntry): void {
  const known = draft.journal.some((one) =>
    'path' in one && 'path' in entry
      ? one.path === entry.path
      : 'name' in one && 'name' in entry && one.kind === entry.kind && one.name === entry.name,
  );
  if (!known) draft.journal.push(entry);
}
