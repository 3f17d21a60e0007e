/** Validates operations on resources with the texts of Mesos 1.11 (validation.cpp). Pure. */

import { fromHeld, reservationsOf } from '../../mesos/held.ts';
import type { FrameworkInfo, OfferOperation, Resource } from '../../mesos/types.ts';
import { formatResources } from '../wire/resource-text.ts';
import { type Agent, rolesOf } from './model.ts';
import { validateId } from './task-validation.ts';

export type ResourceOperation = Exclude<OfferOperation, { type: 'LAUNCH' }>;

/** The resources that an operation names. */
export function resourcesOf(operation: ResourceOperation): readonly Resource[] {
  switch (operation.type) {
    case 'RESERVE':
      return operation.reserve.resources;
    case 'UNRESERVE':
      return operation.unreserve.resources;
    case 'CREATE':
      return operation.create.volumes;
    case 'DESTROY':
      return operation.destroy.volumes;
  }
}

/** @returns why an operation is refused, or undefined */
export function operationError(
  operation: ResourceOperation,
  info: FrameworkInfo,
  role: string,
  agent: Agent,
): string | undefined {
  const resources = resourcesOf(operation);
  const on = `; on agent ${agent.id} at slave(1)@${agent.ip}:${agent.info.port} (${agent.info.hostname})`;
  const problem =
    allocationError(resources, role) ??
    (operation.type === 'RESERVE' || operation.type === 'UNRESERVE'
      ? reservationError(operation.type, resources, info)
      : volumeError(operation.type, resources, info, agent));
  return problem === undefined ? undefined : `${problem}${on}`;
}

function allocationError(resources: readonly Resource[], role: string): string | undefined {
  const foreign = resources.find((one) => (one.allocation_info?.role ?? role) !== role);
  return (
    foreign &&
    `The resources have multiple allocation roles ('${foreign.allocation_info?.role}' and '${role}') but only one` +
      ' allocation role is allowed'
  );
}

function reservationError(
  type: 'RESERVE' | 'UNRESERVE',
  resources: readonly Resource[],
  info: FrameworkInfo,
): string | undefined {
  for (const resource of resources) {
    const text = formatResources([resource]);
    const top = reservationsOf(resource).at(-1);
    if (top === undefined || top.type === 'STATIC') return `Resource ${text} is not dynamically reserved`;
    if (type === 'UNRESERVE') {
      if (!resource.disk?.persistence) continue;
      return (
        `A dynamically reserved persistent volume ${text} cannot be unreserved directly.` +
        ' Please destroy the persistent volume first then unreserve the resource'
      );
    }
    const problem = principalError(info.principal, top.principal, 'reserve');
    if (problem !== undefined) return problem;
    const allocated = resource.allocation_info?.role;
    if (allocated !== undefined && allocated !== top.role) {
      return (
        `A reserve operation was attempted for a resource with role '${top.role}', but the resource was` +
        ` allocated to role '${allocated}'`
      );
    }
    if (!rolesOf(info).includes(top.role ?? '*')) {
      return (
        `A reserve operation was attempted for a resource with role '${top.role}', but the framework can only` +
        ` reserve resources with roles '{ ${rolesOf(info).join(', ')} }'`
      );
    }
  }
  return undefined;
}

function principalError(
  own: string | undefined,
  named: string | undefined,
  what: 'reserve',
): string | undefined {
  if (own === undefined || own === named) return undefined;
  if (named === undefined) {
    return (
      `A ${what} operation was attempted by principal '${own}', but there is a reserved resource in the request` +
      ' with no principal set'
    );
  }
  return (
    `A ${what} operation was attempted by authenticated principal '${own}', which does not match a reserved` +
    ` resource in the request with principal '${named}'`
  );
}

function volumeError(
  type: 'CREATE' | 'DESTROY',
  volumes: readonly Resource[],
  info: FrameworkInfo,
  agent: Agent,
): string | undefined {
  const existing = fromHeld(agent.total).filter(({ disk }) => disk?.persistence);
  const seen = new Set(existing.map(idOf));
  for (const volume of volumes) {
    const text = formatResources([volume]);
    const { persistence, volume: mounted } = volume.disk ?? {};
    if (!volume.disk) return `Not a persistent volume: Resource ${text} does not have DiskInfo`;
    if (!persistence) return "Not a persistent volume: 'persistence' is not set in DiskInfo";
    if (!mounted) return "Not a persistent volume: Expecting 'volume' to be set for persistent volume";
    if (mounted.mode === 'RO') return 'Not a persistent volume: Read-only persistent volume not supported';
    if (type === 'DESTROY') {
      if (!seen.has(idOf(volume))) return 'Persistent volumes not found';
      continue;
    }
    const misnamed = validateId(persistence.id) ?? pathError(mounted.container_path);
    if (misnamed !== undefined) return `Invalid resources: ${misnamed}`;
    if (reservationsOf(volume).length === 0) {
      return `Invalid resources: Persistent volumes cannot be created from unreserved resources: ${text}`;
    }
    if (seen.has(idOf(volume))) return `Persistence ID '${persistence.id}' is not unique`;
    seen.add(idOf(volume));
    if (info.principal === undefined || persistence.principal === info.principal) continue;
    if (persistence.principal === undefined) {
      return (
        `Create volume operation attempted by principal '${info.principal}', but there is a volume in the` +
        " operation with no principal set in 'disk.persistence'"
      );
    }
    return (
      `Create volume operation attempted by authenticated principal '${info.principal}', which does not match a` +
      ` volume in the operation with principal '${persistence.principal}' set in 'disk.persistence'`
    );
  }
  return undefined;
}

/** Stricter than a real master, where the agent refuses the path when a task uses the volume. */
function pathError(path: string): string | undefined {
  const isBad =
    path === '' || path.startsWith('/') || path.split('/').some((one) => one === '..' || one === '.');
  return isBad ? `Path '${path}' of a persistent volume must be relative` : undefined;
}

/** Persistence ids are unique for each role. */
function idOf(volume: Resource): string {
  return `${reservationsOf(volume).at(-1)?.role} ${volume.disk?.persistence?.id}`;
}
