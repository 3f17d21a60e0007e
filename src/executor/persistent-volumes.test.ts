import { expect, it } from 'vitest';
import type { ContainerSummary } from '../docker/engine.ts';
import { LABELS } from './identity.ts';
import { removeEarlierUsers } from './persistent-volumes.ts';

const VOLUME = '/var/lib/mesos/volumes/roles/db/id';
const TARGET = '/mnt/mesos/sandbox/data';

/** A container in the list of Docker. */
function container(id: string, task: string, sources?: string[], Destination = TARGET): ContainerSummary {
  const Labels = { [LABELS.sandbox]: `/sandbox/${id}`, [LABELS.task]: task };
  const Mounts = sources?.map((Source) => ({ Source, Destination })) ?? null;
  return { Id: id, State: 'running', Labels, ImageID: 'i', Created: 0, Mounts };
}

it('removes the containers of other tasks that use a persistent volume, before it is mounted again', async () => {
  const removed: string[] = [];
  const engine = {
    listContainers: async (labels: object) => {
      expect(labels).toEqual({ [LABELS.sandbox]: undefined });
      return [
        container('earlier', 'db.1', [VOLUME]),
        container('own', 'db.2', [VOLUME]),
        container('other', 'web', [`${VOLUME}2`]),
        container('without', 'web'),
        container('backup', 'web', [VOLUME], '/data'),
      ];
    },
    removeContainer: async (id: string) => void removed.push(id),
  };
  const mount = { source: VOLUME, target: TARGET, readOnly: false };
  await removeEarlierUsers(engine, [mount], { [LABELS.task]: 'db.2' }, () => {});
  expect(removed).toEqual(['earlier']);
});
