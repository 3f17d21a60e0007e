/** The flags for the location of a scheduler's state. */

import { Flags } from '@oclif/core';
import { type Installed, type PlaceFlags, resolvePlace } from '../../scheduler/backup/place.ts';

export const placeFlags = {
  zk: Flags.string({
    summary:
      "ZooKeeper address of several schedulers' state, like the scheduler's --zk. Default on an installed host: the host's own.",
    helpValue: 'ADDRESS|file:///PATH',
    env: 'MARATHON_ZK',
  }),
  'data-dir': Flags.string({
    summary:
      "Directory of a single scheduler's state, like its --data_dir. Default on an installed host: the host's own.",
    aliases: ['data_dir'],
    helpValue: 'DIRECTORY',
    env: 'MARATHON_DATA_DIR',
  }),
};

/** The paths that the installer uses. */
const INSTALLED: Installed = {
  zkFile: '/etc/mesosup/scheduler/zk',
  directory: '/var/lib/mesosup/scheduler',
};

export function placeFrom(flags: { zk?: string | undefined; 'data-dir'?: string | undefined }) {
  const fromFlags: PlaceFlags = { zk: flags.zk, directory: flags['data-dir'] };
  return resolvePlace(fromFlags, INSTALLED);
}
