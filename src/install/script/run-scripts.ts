/** The scripts that start a run on a host apart from the connection, and that follow one. */

import { SYSTEM_PATH } from '../../hosts/root-environment.ts';
import { assemble, type HostScripts } from './host-scripts.ts';
import { BACKUP, RUN, RUN_LOCK, RUNS, SERVICES, START_LOCK, STATE } from './places.ts';

/**
 * Reads the apply script of so many bytes from its standard input, starts it and follows it. Where another run is
 * alive, it prints `{"busy":…}` with that one's record instead.
 */
export function startRunScript(scripts: HostScripts, run: string, bytes: number): string {
  const values = {
    SYSTEM_PATH,
    STATE,
    BACKUP,
    RUNS,
    SERVICES,
    RUN,
    RUN_LOCK,
    START_LOCK,
    RUN_DIRECTORY: `${RUNS}/${run}`,
    UNIT: `mesosup-${run}`,
    BYTES: bytes,
  };
  return assemble(scripts, ['run/follow.sh', 'run/start.sh'], values, ['start']);
}

/**
 * Follows a run from its beginning, whether it is under way or over. Where there is none of that id, it prints
 * `{"unknown":true}`, with `"empty":true` where mesosup has left nothing at all.
 */
export function attachRunScript(scripts: HostScripts, run: string): string {
  const values = { STATE, RUN_DIRECTORY: `${RUNS}/${run}` };
  return assemble(scripts, ['run/follow.sh', 'run/attach.sh'], values, ['attach']);
}
