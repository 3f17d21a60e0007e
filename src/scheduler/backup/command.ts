/** What the commands around a scheduler have in common: where its state is, and how they say why they can't. */

import { Command, Flags, type Interfaces } from '@oclif/core';
import { type Installed, type PlaceFlags, placeOf } from './place.ts';

const USAGE = 2;
const EXITS: Readonly<Record<string, number>> = {
  PlaceError: USAGE,
  UsageError: USAGE,
  BackupError: 1,
  StoreError: 1,
  ImportError: 1,
};

/** The arguments make no sense together. */
export class UsageError extends Error {
  override name = 'UsageError';
}

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
  return placeOf(given, INSTALLED);
}

export abstract class SchedulerCommand extends Command {
  /** For whoever watches. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) this.logToStderr(message);
  }

  protected override async catch(error: Interfaces.CommandError): Promise<unknown> {
    if (error.oclif !== undefined) return super.catch(error);
    const { name, message } = error;
    const exit = EXITS[name];
    process.exitCode = exit ?? 1;
    if (this.jsonEnabled()) this.logJson({ error: { name, message } });
    // A defect of ours is of use only with its place.
    else this.logToStderr(exit === undefined ? (error.stack ?? message) : message);
    return undefined;
  }
}
