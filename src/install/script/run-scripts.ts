/** The scripts that start a run on a host apart from the connection, and that follow one. */

import { quote } from '../../hosts/quote.ts';
import { IN_ROOT_ENVIRONMENT } from '../../hosts/root-environment.ts';
import { BACKUP, RUN, RUN_LOCK, RUNS, SERVICES, STATE } from './places.ts';

/** So many runs are remembered; older ones' directories are removed. */
const REMEMBERED = 5;

/**
 * Prints the events from the first on, until the run's process is gone; then `{"followed":true}`. tail sees new lines
 * by inotify and looks for the process ten times a second.
 */
const FOLLOW = `follow() {
  pid=$(cat "$dir/pid" 2>/dev/null)
  tail -n +1 -s 0.1 -f --pid="\${pid:-1}" "$dir/events.ndjson" 2>/dev/null
  echo '{"followed":true}'
}`;

/**
 * Reads the apply script of so many bytes from its standard input, starts it and follows it. Where another run is
 * alive, it prints `{"busy":…}` with that one's record instead.
 */
export function startRunScript(run: string, bytes: number): string {
  return `umask 077
[ -d ${STATE} ] || { mkdir -p ${STATE} && chmod 0755 ${STATE}; }
mkdir -p ${BACKUP} ${RUNS}
[ -d ${SERVICES} ] || mkdir -m 0755 ${SERVICES}
dir=${quote(`${RUNS}/${run}`)}
${FOLLOW}
busy() {
  record=$(cat ${RUN} 2>/dev/null)
  printf '{"busy":%s}\\n' "\${record:-null}"
  exit 0
}
# One at a time may look whether there is a run, and start one.
exec 7>>${STATE}/start.lock
flock -w 60 7 || busy
if [ -s "$dir/events.ndjson" ]; then follow; exit; fi
exec 6>>${RUN_LOCK}
flock -n 6 || { [ ! -e ${RUN} ] && flock -w 5 6; } || busy
exec 6>&-
rm -rf "$dir"
mkdir "$dir" || exit
cat >"$dir/script" || exit
if [ "$(wc -c <"$dir/script")" -ne ${bytes} ]; then
  rm -rf "$dir"
  echo 'the script did not come whole, or there is no space for it' >&2
  exit 74
fi
: >"$dir/events.ndjson"
ls -1t ${RUNS} | tail -n +${REMEMBERED + 1} | while IFS= read -r old; do rm -rf "${RUNS}/$old"; done
if [ -d /run/systemd/system ]; then
  systemctl reset-failed 'mesosup-*.service' 2>/dev/null
  systemd-run --quiet --unit=${quote(`mesosup-${run}`)} --description=mesosup --property=KillMode=process \\
    ${IN_ROOT_ENVIRONMENT} /bin/sh "$dir/script" 6>&- 7>&- >&2 || exit
else
  setsid ${IN_ROOT_ENVIRONMENT} /bin/sh "$dir/script" </dev/null >/dev/null 2>&1 6>&- 7>&- &
fi
turns=0
until [ -s "$dir/events.ndjson" ] || [ -e "$dir/refused" ]; do
  turns=$((turns + 1))
  if [ "$turns" -gt 1000 ]; then echo 'the run did not begin within 20 seconds' >&2; exit 75; fi
  sleep 0.02
done
if [ -e "$dir/refused" ]; then rm -rf "$dir"; busy; fi
exec 7>&-
follow
`;
}

/**
 * Follows a run from its beginning, whether it is under way or over. Where there is none of that id, it prints
 * `{"unknown":true}`, with `"empty":true` where mesosup has left nothing at all.
 */
export function attachRunScript(run: string): string {
  return `dir=${quote(`${RUNS}/${run}`)}
${FOLLOW}
if [ -s "$dir/events.ndjson" ]; then follow
elif [ -d ${STATE} ]; then echo '{"unknown":true,"empty":false}'
else echo '{"unknown":true,"empty":true}'; fi
`;
}
