#!/bin/sh
# The Docker executor that Mesos starts: keeps a worker running, and ends when the worker is done.
# Mesos sees only this process, so a worker can be killed and restarted without affecting tasks.
#
#   /var/lib/mesos/executors/docker [IMAGE ARGUMENT...]
#
# The worker's standard input is a pipe whose other end only this process holds. When this process is killed, the worker
# reads the end of the pipe and removes the containers, since Mesos then fails their tasks.
set -u

MAX_FAST_CRASHES=5
FAST_SECONDS=10

PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export PATH

root=$(readlink -f "$0")
root=${root%/*/*}
node=$root/bin/node
program=$root/lib/executor.js

# Without a sandbox there is nothing to supervise: this is the janitor, started manually or by a timer.
if [ -z "${MESOS_DIRECTORY:-}" ]; then
  exec "$node" "$program" "$@"
fi

# Moves what the agent fetched into a directory of its own, from which the worker gives it to the task. The names are
# those of URIs and archives: they could be those of the executor's own files, and links to other files.
move_fetched() {
  staging=
  for file in "$MESOS_DIRECTORY"/* "$MESOS_DIRECTORY"/.[!.]* "$MESOS_DIRECTORY"/..?*; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    # Persistent volumes, which the agent mounts before it starts this program.
    case /${MESOSUP_VOLUMES:-}/ in
      */"${file##*/}"/*) continue ;;
    esac
    if [ -f "$file" ] && [ ! -L "$file" ]; then
      case ${file##*/} in
        # Files of the agent and of its log rotation.
        stdout | stderr | stdout.logrotate.* | stderr.logrotate.*) continue ;;
      esac
    fi
    [ -n "$staging" ] || staging=$(mktemp -d "$MESOS_DIRECTORY/.fetched.XXXXXX") || return
    mv -- "$file" "$staging/" || return
  done
  [ -z "$staging" ] || mv -- "$staging" "$MESOS_DIRECTORY/fetched"
}
move_fetched || exit 1

# The sandbox's stdout and stderr may belong to a container.
exec >>"$MESOS_DIRECTORY/executor.log" 2>&1

say() {
  printf '{"level":"%s","msg":"supervisor: %s"}\n' "$1" "$2"
}

if [ ! -x "$node" ] || [ ! -f "$program" ]; then
  say error "$node or $program is missing: install mesosup again, or build it"
  exit 2
fi

# Process id and start time, by which the janitor finds out that this process has ended. The second field of the line
# may contain spaces and brackets; the third field follows the last bracket.
read -r stat <"/proc/$$/stat"
start_time() {
  shift 19
  started=$1
}
# shellcheck disable=SC2086 # into fields
start_time ${stat##*) }
printf '%s %s\n' "$$" "$started" >"$MESOS_DIRECTORY/supervisor.pid"

pipe=$MESOS_DIRECTORY/.supervisor.$$.pipe
mkfifo -m 600 "$pipe" || exit 1
exec 3<>"$pipe"
rm -f "$pipe"

# Sets `now` to the seconds since boot, without starting a process.
tell_time() {
  read -r now _ </proc/uptime
  now=${now%.*}
}

worker=
stopping=
stop() {
  stopping=1
  [ -z "$worker" ] || kill -TERM "$worker" 2>/dev/null
}
trap stop TERM INT HUP

crashes=0
while :; do
  tell_time
  begun=$now
  # Opens the pipe again for reading: a copy of descriptor 3 would be open for writing, and would never read the end.
  "$node" "$program" "$@" <"/proc/$$/fd/3" 3>&- &
  worker=$!
  [ -z "$stopping" ] || kill -TERM "$worker" 2>/dev/null
  # A signal to this process interrupts the wait.
  while :; do
    wait "$worker"
    code=$?
    kill -0 "$worker" 2>/dev/null || break
  done
  worker=
  case $code in
    0 | 2 | 126 | 127) exit "$code" ;;
  esac
  [ -z "$stopping" ] || exit "$code"
  tell_time
  if [ $((now - begun)) -lt "$FAST_SECONDS" ]; then
    crashes=$((crashes + 1))
  else
    crashes=1
  fi
  if [ "$crashes" -ge "$MAX_FAST_CRASHES" ]; then
    say error "the worker ended with status $code, $crashes times in a row within $FAST_SECONDS s: giving up"
    exit "$code"
  fi
  say warning "the worker ended with status $code: starting it again"
  [ "$crashes" -eq 1 ] || sleep "$((crashes - 1))" 3>&-
done
