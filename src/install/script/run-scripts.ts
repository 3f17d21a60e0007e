/** Builds the scripts that start a run on a host, and that follow a run. */

import { assemble, type HostScripts } from './host-scripts.ts';
import { RUNS } from './places.ts';

/**
 * The script reads an apply script of `bytes` bytes from standard input, starts it independently of the connection, and
 * follows it. If another run is in progress, it prints `{"busy":…}` with the record of that run instead.
 */
export function startRunScript(scripts: HostScripts, run: string, bytes: number): string {
  const values = {
    RUN_DIRECTORY: `${RUNS}/${run}`,
    UNIT: `mesosup-${run}`,
    BYTES: bytes,
  };
  return assemble(scripts, ['run/follow.sh', 'run/start.sh'], values, ['start']);
}

/**
 * The script follows a run from its beginning, also when it has ended. If the run is unknown, it prints
 * `{"unknown":true}`, with `"empty":true` if the host has no files of mesosup.
 */
export function attachRunScript(scripts: HostScripts, run: string): string {
  const values = { RUN_DIRECTORY: `${RUNS}/${run}` };
  return assemble(scripts, ['run/follow.sh', 'run/attach.sh'], values, ['attach']);
}
