/**
 * Persistent volumes that the agent mounted in the executor's sandbox: links into the agent's work directory, or mounts.
 * The agent makes them before it sends the task.
 */

import { lchownSync, lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { ContainerSummary, DockerEngine } from '../docker/engine.ts';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { UserIds } from './domain/container-user.ts';
import { MOUNTED_SANDBOX, type MountedPath } from './domain/create-command.ts';
import { LABELS } from './identity.ts';
import type { Log } from './log.ts';

/**
 * @param sandbox of the executor
 * @returns their mounts in the container
 * @throws MesosupError if a volume is missing
 */
export function findVolumes(sandbox: string, names: readonly string[] = []): MountedPath[] {
  return names.map((name) => ({
    source: findVolume(sandbox, name),
    target: `${MOUNTED_SANDBOX}/${name}`,
    readOnly: false,
  }));
}

function findVolume(sandbox: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new MesosupError(`'${name}' is not the name of a persistent volume`);
  }
  const place = path.join(sandbox, name);
  try {
    const found = realpathSync(place);
    if (lstatSync(found).isDirectory()) return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  throw new MesosupError(`The agent has not mounted the persistent volume '${name}' at ${place}`);
}

/**
 * Removes the containers of other executors that still use the volumes. Mesos gives a volume to one task at a time: it has
 * failed the tasks of an executor that was killed, whose container may run until the janitor comes.
 * @param own labels of the containers that are left alone
 */
export async function removeEarlierUsers(
  engine: Pick<DockerEngine, 'listContainers' | 'removeContainer'>,
  volumes: readonly MountedPath[],
  own: Readonly<Record<string, string>>,
  log: Log,
): Promise<void> {
  if (volumes.length === 0) return;
  // An app may mount the directory of a volume at another path, as for a backup.
  const uses = ({ Mounts }: ContainerSummary) =>
    Mounts?.some((one) => volumes.some((v) => v.source === one.Source && v.target === one.Destination));
  const isOwn = ({ Labels }: ContainerSummary) =>
    Object.entries(own).every(([name, value]) => Labels[name] === value);
  for (const found of await engine.listContainers({ [LABELS.sandbox]: undefined })) {
    if (isOwn(found) || !uses(found)) continue;
    const { Id: container, Labels: labels } = found;
    log({
      msg: 'removing a container of another executor, which uses a persistent volume',
      container,
      labels,
    });
    await engine.removeContainer(container);
  }
}

/**
 * Gives the volumes among a container's mounts to its user. What is in them keeps its owners: it comes from earlier tasks.
 * @param sandbox of the executor
 */
export function giveVolumes(
  mounts: readonly { readonly Source?: string; readonly Destination: string }[],
  sandbox: string,
  { uid, gid }: UserIds,
): void {
  for (const { Source: source = '', Destination: destination } of mounts) {
    if (path.dirname(destination) !== MOUNTED_SANDBOX) continue;
    // Other mounts come from the app.
    const place = path.join(sandbox, path.basename(destination));
    if (!lstatSync(place, { throwIfNoEntry: false }) || realpathSync(place) !== source) continue;
    const info = lstatSync(source);
    if (info.uid !== uid || info.gid !== gid) lchownSync(source, uid, gid);
  }
}
