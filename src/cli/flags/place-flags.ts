/** The flags that say where a scheduler's state is. */

import { Flags } from '@oclif/core';
import { type Installed, type PlaceFlags, resolvePlace } from '../../scheduler/backup/place.ts';

export const placeFlags = {
  zk: Flags.string({
    summary: "ZooKeeper, as the scheduler's --zk: where several schedulers have their state.",
    helpValue: 'ADDRESS|file:///PATH',
    env: 'MARATHON_ZK',
  }),
  'data-dir': Flags.string({
    summary: "The directory of a single scheduler's state, as its --data_dir.",
    aliases: ['data_dir'],
    helpValue: 'DIRECTORY',
    env: 'MARATHON_DATA_DIR',
  }),
};

/** As the installer lays a scheduler out. */
const INSTALLED: Installed = {
  zkFile: '/etc/mesosup/scheduler/zk',
  directory: '/var/lib/mesosup/scheduler',
};

export function placeFrom(flags: { zk?: string | undefined; 'data-dir'?: string | undefined }) {
  const given: PlaceFlags = { zk: flags.zk, directory: flags['data-dir'] };
  return resolvePlace(given, INSTALLED);
}
