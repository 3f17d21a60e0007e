# shellcheck shell=sh
# Starts a run that does not depend on the connection, and follows it.
#   STATE, BACKUP, RUNS, SERVICES, RUN, RUN_LOCK, START_LOCK  see places.ts
#   RUN_DIRECTORY     the directory of the run
#   UNIT              its unit under systemd
#   BYTES             the size of its script
#   SYSTEM_PATH       see root-environment.ts

# Number of runs whose directories are kept.
REMEMBERED=5

# busy: prints `{"busy":...}` with the record of the run in progress
busy() {
  record=$(cat "$RUN" 2>/dev/null)
  printf '{"busy":%s}\n' "${record:-null}"
  exit 0
}

# receive: reads the apply script from standard input
receive() {
  rm -rf "$RUN_DIRECTORY"
  mkdir "$RUN_DIRECTORY" || exit
  cat >"$RUN_DIRECTORY/script" || exit
  if [ "$(wc -c <"$RUN_DIRECTORY/script")" -ne "$BYTES" ]; then
    rm -rf "$RUN_DIRECTORY"
    echo 'the script was not received completely, or there is no space for it' >&2
    exit 74
  fi
  : >"$RUN_DIRECTORY/events.ndjson"
}

# forget_old_runs: removes the directories of all but the latest runs
forget_old_runs() {
  # Names of runs are letters, digits and hyphens.
  # shellcheck disable=SC2012
  ls -1t "$RUNS" | tail -n +$((REMEMBERED + 1)) | while IFS= read -r old; do rm -rf "${RUNS:?}/$old"; done
}

# spawn: starts the script under systemd, or in a new session, in the environment of login/become-plain.sh
spawn() {
  set -- /usr/bin/env -i HOME="$HOME" USER=root LOGNAME=root SHELL=/bin/sh PATH="$SYSTEM_PATH" LC_ALL=C LANG=C \
    /bin/sh "$RUN_DIRECTORY/script"
  if [ -d /run/systemd/system ]; then
    systemctl reset-failed 'mesosup-*.service' 2>/dev/null
    systemd-run --quiet --unit="$UNIT" --description=mesosup --property=KillMode=process "$@" 6>&- 7>&- >&2 || exit
  else
    setsid "$@" </dev/null >/dev/null 2>&1 6>&- 7>&- &
  fi
}

# start: reads the script of a run, starts and follows it. Only follows a run that has started already. If another run
# is in progress, calls busy.
start() {
  umask 077
  [ -d "$STATE" ] || { mkdir -p "$STATE" && chmod 0755 "$STATE"; }
  mkdir -p "$BACKUP" "$RUNS"
  [ -d "$SERVICES" ] || mkdir -m 0755 "$SERVICES"
  # Only one process at a time may look for a run and start one.
  exec 7>>"$START_LOCK"
  flock -w 60 7 || busy
  if [ -s "$RUN_DIRECTORY/events.ndjson" ]; then follow; exit; fi
  exec 6>>"$RUN_LOCK"
  flock -n 6 || { [ ! -e "$RUN" ] && flock -w 5 6; } || busy
  exec 6>&-
  receive
  forget_old_runs
  spawn
  turns=0
  until [ -s "$RUN_DIRECTORY/events.ndjson" ] || [ -e "$RUN_DIRECTORY/refused" ]; do
    turns=$((turns + 1))
    if [ "$turns" -gt 1000 ]; then echo 'the run did not start within 20 seconds' >&2; exit 75; fi
    sleep 0.02
  done
  if [ -e "$RUN_DIRECTORY/refused" ]; then rm -rf "$RUN_DIRECTORY"; busy; fi
  exec 7>&-
  follow
}
