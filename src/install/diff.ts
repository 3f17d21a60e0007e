/** What differs between one wanted resource and the host; services are apart, in `diff-service.ts`. */

import { reveal, type Secrets } from '../cluster/secrets.ts';
import type { Facts, FileFacts } from './facts.ts';
import { installedPackage } from './package-state.ts';
import type { PlanAction, PlanItem } from './plan.ts';
import {
  type AbsentResource,
  type AptKeyResource,
  type DirectoryResource,
  type FileResource,
  type LinkResource,
  type PackageResource,
  type PayloadResource,
  type Resource,
  resourceId,
  type ServiceResource,
  type UserResource,
} from './resources.ts';
import { safeDiff } from './text-diff.ts';
import { meetsVersion } from './versions.ts';

export interface DiffInput {
  readonly facts: Facts;
  readonly secrets: Secrets;
  readonly sha256: (text: string) => string;
}

/** The wrapper of Mesos' packages passes over these, and dpkg leaves them. */
const HARMLESS = /\.(dpkg-dist|rpmnew)$/;

/** Undefined when the host has it. */
export function diffResource(
  resource: Exclude<Resource, ServiceResource>,
  input: DiffInput,
): PlanItem | undefined {
  switch (resource.kind) {
    case 'file':
      return diffFile(resource, input);
    case 'directory':
      return diffDirectory(resource, input.facts);
    case 'link':
      return diffLink(resource, input.facts);
    case 'absent':
      return diffAbsent(resource, input.facts);
    case 'apt-key':
      return diffKey(resource, input.facts);
    case 'package':
      return diffPackage(resource, input.facts);
    case 'user':
      return diffUser(resource, input.facts);
    case 'payload':
      return diffPayload(resource, input.facts);
  }
}

function item(resource: Resource, action: PlanAction, title: string, diff: readonly string[]): PlanItem {
  return { id: resourceId(resource), action, title, diff, resource };
}

function diffFile(resource: FileResource, { facts, secrets, sha256 }: DiffInput): PlanItem | undefined {
  const { path, content, note } = resource;
  const found = facts.files[path];
  const about = note === undefined ? path : `${path} (${note})`;
  if (found === undefined) {
    return item(resource, 'create', `${about}: create`, [
      ...rights(undefined, resource),
      ...safeDiff(undefined, content, secrets),
    ]);
  }
  const same = found.type === 'file' && found.sha256 === sha256(reveal(content, secrets));
  const differs = rights(found, resource);
  if (same && differs.length === 0) return undefined;
  const lines = same ? [] : [...typeLines(found), ...safeDiff(found.text, content, secrets)];
  return item(resource, 'change', `${about}: change`, [...differs, ...lines]);
}

function typeLines(found: FileFacts): string[] {
  if (found.type === 'file') return [];
  return [found.type === 'link' ? `-link to ${found.target}` : `-${found.type}`];
}

/** Lines of mode and owners where they differ, or where nothing is there yet and they are not the usual ones. */
function rights(
  found: Pick<FileFacts, 'mode' | 'owner' | 'group'> | undefined,
  wanted: FileResource | DirectoryResource,
): string[] {
  const text = (one: Pick<FileFacts, 'mode' | 'owner' | 'group'>) =>
    `mode ${one.mode} ${one.owner}:${one.group}`;
  if (found === undefined) {
    const usual = `mode ${wanted.kind === 'file' ? '0644' : '0755'} root:root`;
    return text(wanted) === usual ? [] : [`+${text(wanted)}`];
  }
  return text(found) === text(wanted) ? [] : [`-${text(found)}`, `+${text(wanted)}`];
}

function diffDirectory(resource: DirectoryResource, facts: Facts): PlanItem | undefined {
  const { path } = resource;
  const found = facts.files[path];
  if (found === undefined) {
    return item(resource, 'create', `${path}/: create`, rights(undefined, resource));
  }
  const strays = straysIn(resource, facts);
  const lines = [
    ...(found.type === 'directory' ? [] : [...typeLines(found), `-${found.type}`, '+directory']),
    ...rights(found, resource),
    ...strays.map((stray) => `-${stray}`),
  ];
  if (lines.length === 0) return undefined;
  const title = strays.length > 0 ? `${path}/: move away what would be read as a flag` : `${path}/: change`;
  return item(resource, 'change', title, lines);
}

/** Paths in the directory that it must not hold. */
export function straysIn(resource: DirectoryResource, facts: Facts): string[] {
  const { only, path } = resource;
  if (only === undefined) return [];
  return Object.keys(facts.files)
    .filter((one) => {
      const name = one.startsWith(`${path}/`) ? one.slice(path.length + 1) : '';
      return name !== '' && !name.includes('/') && !only.includes(name) && !HARMLESS.test(name);
    })
    .toSorted();
}

function diffLink(resource: LinkResource, facts: Facts): PlanItem | undefined {
  const { path, target } = resource;
  const found = facts.files[path];
  if (found?.type === 'link' && found.target === target) return undefined;
  const before =
    found === undefined ? [] : [`-${found.type === 'link' ? `link to ${found.target}` : found.type}`];
  const action = found === undefined ? 'create' : 'change';
  return item(resource, action, `${path}: link to ${target}`, [...before, `+link to ${target}`]);
}

function diffAbsent(resource: AbsentResource, facts: Facts): PlanItem | undefined {
  if (facts.files[resource.path] === undefined) return undefined;
  return item(resource, 'remove', `${resource.path}: remove`, []);
}

function diffKey(resource: AptKeyResource, facts: Facts): PlanItem | undefined {
  const { source, fingerprint } = resource;
  const found = facts.files[resource.path];
  const other = fingerprint !== undefined && found?.keys?.fingerprints.includes(fingerprint) === false;
  const expired = (found?.keys?.expires ?? Number.POSITIVE_INFINITY) <= facts.clock.now;
  if (found?.type === 'file' && !other && !expired) return undefined;
  const action = found === undefined ? 'create' : 'change';
  return item(resource, action, `${resource.path}: ${action} (a key that packages are checked with)`, [
    ...(other ? found.keys.fingerprints.map((one) => `-fingerprint ${one}`) : []),
    ...(expired ? ['-it has expired'] : []),
    `+from ${'url' in source ? source.url : source.file}`,
    ...(fingerprint === undefined ? [] : [`+fingerprint ${fingerprint}`]),
  ]);
}

function diffPackage(resource: PackageResource, facts: Facts): PlanItem | undefined {
  const { name, version } = resource;
  const found = installedPackage(facts, name);
  const wanted = version ?? 'the newest';
  const from = resource.file && ('url' in resource.file ? resource.file.url : resource.file.upload);
  const source = from === undefined ? [] : [`+from ${from}`];
  if (found === undefined) {
    return item(resource, 'install', `package ${name}: install${version ? ` ${version}` : ''}`, source);
  }
  if (meetsVersion(found.version, version)) return undefined;
  return item(resource, 'upgrade', `package ${name}: ${found.version} → ${wanted}`, [
    `-${found.version}`,
    `+${wanted}`,
    ...source,
  ]);
}

function diffUser(resource: UserResource, facts: Facts): PlanItem | undefined {
  const { name, groups } = resource;
  const found = facts.users[name];
  const missing = groups.filter((group) => !found?.groups.includes(group));
  const lines = missing.map((group) => `+group ${group}`);
  if (found === undefined) return item(resource, 'create', `user ${name}: create`, lines);
  if (missing.length === 0) return undefined;
  return item(resource, 'change', `user ${name}: add to ${missing.join(', ')}`, lines);
}

function diffPayload(resource: PayloadResource, facts: Facts): PlanItem | undefined {
  const { version, bytes } = resource;
  if (facts.mesosup.payloads.includes(version)) return undefined;
  const size = `${Math.max(1, Math.round(bytes / 1e6))} MB`;
  return item(resource, 'create', `/opt/mesosup/${version}: unpack (${size}, unless it is here already)`, []);
}
