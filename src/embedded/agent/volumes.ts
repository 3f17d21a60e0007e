/** Reserved resources and persistent volumes: their checkpoint, their directories, and the reports of operations. */

import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { reservationsOf } from '../../mesos/held.ts';
import type { Resource } from '../../mesos/types.ts';
import type { MasterMessage } from '../wire/agent-link.ts';
import { type Agent, agentId } from './model.ts';
import { volumePath } from './paths.ts';
import type { UserIds } from './users.ts';

/** Wait before an unacknowledged result is sent again. Source: operation status updates of Mesos. */
const RETRY_MS = 10_000;

type Apply = Extract<MasterMessage, { type: 'APPLY_OPERATION' }>;

/** Creates and deletes volumes, stores the reserved resources, and reports that the operation is finished. */
export function applyOperation(agent: Agent, message: Apply): void {
  const before = volumesOf(agent, agent.reserved);
  const after = volumesOf(agent, message.reserved);
  for (const path of after.keys()) if (!before.has(path)) mkdirSync(path, { recursive: true });
  agent.reserved = message.reserved;
  for (const [path, volume] of before) if (!after.has(path)) deleteVolume(agent, path, volume);
  agent.operations.set(message.uuid, {
    uuid: message.uuid,
    status_uuid: agent.ports.updateUuid(),
    framework_id: message.framework_id,
    ...(message.operation_id !== undefined && { operation_id: message.operation_id }),
    state: 'OPERATION_FINISHED',
  });
  save(agent);
  reportOperations(agent);
}

function deleteVolume(agent: Agent, path: string, volume: Resource): void {
  agent.ports.log(`Deleting persistent volume '${volume.disk?.persistence?.id}' at '${path}'`);
  if (volume.disk?.source?.type !== 'MOUNT') rmSync(path, { recursive: true, force: true });
  else for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
}

function volumesOf({ settings }: Agent, resources: readonly Resource[]): Map<string, Resource> {
  const found = new Map<string, Resource>();
  for (const one of resources) {
    const role = reservationsOf(one).at(-1)?.role ?? '*';
    if (one.disk?.persistence) found.set(volumePath(settings.workDir, role, one.disk), one);
  }
  return found;
}

function save(agent: Agent): void {
  const operations = [...agent.operations.values()];
  agent.ports.checkpoint.saveResources(agentId(agent), { reserved: agent.reserved, operations });
}

/** Sends all results that are not acknowledged, and repeats them. */
export function reportOperations(agent: Agent): void {
  agent.cancelOperations?.();
  delete agent.cancelOperations;
  if (agent.operations.size === 0) return;
  for (const operation of agent.operations.values()) agent.toMaster?.({ type: 'OPERATION', operation });
  agent.cancelOperations = agent.ports.timer(RETRY_MS, () => reportOperations(agent));
}

export function acknowledgeOperation(
  agent: Agent,
  { uuid, status_uuid }: Extract<MasterMessage, { type: 'ACKNOWLEDGE_OPERATION' }>,
): void {
  if (agent.operations.get(uuid)?.status_uuid !== status_uuid) return;
  agent.operations.delete(uuid);
  save(agent);
  if (agent.operations.size === 0) agent.cancelOperations?.();
}

/**
 * Links the volumes among a task's resources into the sandbox of its executor, and gives them to the user.
 * @throws Error if the path in the sandbox is in use
 */
export function linkVolumes(
  agent: Agent,
  resources: readonly Resource[],
  sandbox: string,
  ids: UserIds | undefined,
): void {
  for (const [path, { disk }] of volumesOf(agent, resources)) {
    const link = join(sandbox, disk?.volume?.container_path ?? '');
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === path) continue;
    if (existsSync(link)) {
      throw new Error(
        `Failed to create the symbolic link at '${link}' for persistent volume: the file exists`,
      );
    }
    if (ids) chownSync(path, ids.uid, ids.gid);
    symlinkSync(path, link);
  }
}
