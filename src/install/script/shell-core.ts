/** The part of an apply script that tells what happens, and what its other parts are built on. */

import { quote } from '../../hosts/quote.ts';
import { RUN, RUN_LOCK, STATE } from './places.ts';

/**
 * sed commands that make a line fit for a JSON string: known secrets become dots, control characters are escaped, and
 * no line is longer than some thousand bytes. Bytes that are no UTF-8 stay; who reads the line replaces them.
 */
export function escapeCommands(secrets: readonly string[]): string {
  const controls = Array.from({ length: 32 }, (_, code) => {
    const hex = code.toString(16).padStart(2, '0');
    const short = { 8: 'b', 9: 't', 12: 'f', 13: 'r' }[code] ?? `u00${hex}`;
    // A line feed ends a line, and is escaped where lines are joined.
    return code === 10 ? [] : [`s/\\x${hex}/\\\\${short}/g`];
  }).flat();
  return [
    ...secrets
      .filter((secret) => /^[A-Za-z0-9_-]{8,}$/.test(secret))
      .map((secret) => `s/${secret}/••••••••/g`),
    's/^\\(.\\{4000\\}\\).*/\\1/',
    's/[\\\\"]/\\\\&/g',
    ...controls,
  ].join('\n');
}

/**
 * Begins a run: takes the lock, leaves the script to nobody, and opens the events. `$0` is the script; `record` is an
 * object as JSON, to which the host adds the time.
 */
export function opening(run: string, record: string): string {
  return `export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive HOME=/root
umask 022
cd /
dir=${quote(`${STATE}/runs/${run}`)}
main=$$
exec </dev/null
exec 9>>${RUN_LOCK}
if ! flock -n 9; then : >"$dir/refused"; rm -f "$0"; exit 0; fi
# Unlinked, it is read to its end all the same, and its secrets are gone whatever happens.
rm -f "$0"
exec 3>>"$dir/events.ndjson"
echo "$$" >"$dir/pid"
printf '%s,"since":%s}\\n' ${quote(record.replace(/}$/, ''))} "$(date +%s%3N)" >${RUN}.new && mv -f ${RUN}.new ${RUN}
output=$dir/output
error=$dir/error
: >"$output"
`;
}

/** What steps use to tell what they do. The sed commands are in an unlinked file, behind descriptor 8. */
export const CORE = `escape=/proc/$main/fd/8
item=0
ended=
emit() { printf '%s\\n' "$1" >&3; }
now() { date +%s%3N; }
# json TEXT: as the inside of a JSON string
json() { printf '%s' "$1" | sed -z -f "$escape" -e 's/\\n/\\\\n/g'; }
begin_item() { item=$1; emit "{\\"event\\":\\"start\\",\\"item\\":$1,\\"at\\":$(now)}"; }
done_item() { emit "{\\"event\\":\\"done\\",\\"item\\":$1,\\"at\\":$(now)}"; }
waiting() { emit "{\\"event\\":\\"wait\\",\\"item\\":$item,\\"reason\\":\\"$(json "$1")\\",\\"at\\":$(now)}"; }
say() { emit "{\\"event\\":\\"log\\",\\"item\\":$item,\\"line\\":\\"$(json "$1")\\"}"; }
# fail KEY MESSAGE MEND: the run ends here
fail() {
  emit "{\\"event\\":\\"failed\\",\\"item\\":$item,\\"failure\\":\\"$1\\",\\"message\\":\\"$(json "$2")\\",\\"mend\\":\\"$(json "$3")\\",\\"at\\":$(now)}"
  finish false
  exit 0
}
finish() {
  ended=yes
  release_starts
  unshield
  rm -f ${RUN} "$dir/hook" "$dir/allowed"
  # Whoever reads the end may begin another run at once.
  exec 9>&-
  emit "{\\"event\\":\\"end\\",\\"ok\\":$1,\\"at\\":$(now)}"
}
interrupted() {
  trap - EXIT
  [ -n "$ended" ] || fail command "the run on the host was stopped: $1" 'Run the same command again: it goes on with what is left to do.'
}
trap 'interrupted "its script ended early"' EXIT
trap 'interrupted "by SIGTERM"' TERM
trap 'interrupted "by SIGINT"' INT
trap '' HUP
# logged COMMAND...: its output as log events, and in $output; gives its exit code
logged() {
  code=$({ { "$@" 3>&- 4>&- 8>&- 9>&-; echo $? >&4; } 2>&1 |
    tee -a "$output" 4>&- |
    sed -u -f "$escape" -e "s/.*/{\\"event\\":\\"log\\",\\"item\\":$item,\\"line\\":\\"&\\"}/" >&3 4>&-; } 4>&1)
  return "$code"
}
said() { tail -n "\${1:-5}" "$output"; }
full() { grep -Eqi 'No space left on device|enough free space|Disk quota exceeded' "$@"; }
no_space() {
  fail disk "no space is left on the host: $(df -Ph / /usr /var /opt 2>/dev/null | awk 'NR > 1 && !($6 in seen) { seen[$6] = 1; printf "%s%s free in %s", sep, $4, $6; sep = ", " }')" 'Make room there, e.g. with "apt-get clean", and run the same command again.'
}
# broke WHAT: a step failed with its words in $error
broke() {
  if full "$error"; then no_space; fi
  fail command "$1: $(head -c 2000 "$error")" 'Mend that on the host, and run the same command again.'
}
`;
