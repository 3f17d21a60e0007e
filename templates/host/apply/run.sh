# shellcheck shell=sh
# shellcheck disable=SC2034 # output and error: read by the steps
# shellcheck disable=SC2154 # item: set by events.sh
# Begins and ends a run of an apply script.
#   STATE, RUN, RUN_LOCK, RUN_DIRECTORY  see places.ts
#   RECORD           the run's record in run.json: a JSON object without its closing brace; the host adds the time
#   ESCAPE_COMMANDS  sed commands that escape a line for a JSON string, and hide secrets

# open_run: takes the lock, removes the script's file and opens the events. $0 is the script's file.
open_run() {
  export DEBIAN_FRONTEND=noninteractive HOME=/root
  umask 022
  cd / || exit
  dir=$RUN_DIRECTORY
  main=$$
  exec </dev/null
  exec 9>>"$RUN_LOCK"
  if ! flock -n 9; then : >"$dir/refused"; rm -f "$0"; exit 0; fi
  # The shell can read an unlinked file to its end, and the secrets in it disappear with this process.
  rm -f "$0"
  exec 3>>"$dir/events.ndjson"
  echo "$$" >"$dir/pid"
  printf '%s,"since":%s}\n' "$RECORD" "$(date +%s%3N)" >"$RUN.new" && mv -f "$RUN.new" "$RUN"
  output=$dir/output
  error=$dir/error
  : >"$output"
  # The secrets in this file are accessible through descriptor 8 only.
  (umask 077; printf '%s\n' "$ESCAPE_COMMANDS" >"$dir/escape")
  exec 8<"$dir/escape"
  rm -f "$dir/escape"
  escape=/proc/$main/fd/8
  item=0
  ended=
  trap 'interrupted "its script ended early"' EXIT
  trap 'interrupted "by SIGTERM"' TERM
  trap 'interrupted "by SIGINT"' INT
  trap '' HUP
}

# begin_steps RUN COUNT: reports the start, and cleans up after an earlier run that was killed
begin_steps() {
  emit "{\"event\":\"begin\",\"run\":\"$1\",\"items\":$2,\"at\":$(now)}"
  release_starts
  unshield
}

# finish true|false: reports the end of the run, and if it succeeded
finish() {
  ended=yes
  release_starts
  unshield
  rm -rf "$RUN" "$dir/hook" "$dir/allowed" "$dir/pins" "$dir/preferences" "$dir/parts" "$dir/files" "$dir/lists" "$dir/wanted" "$dir/conf" "$dir/status"
  # The list of the repository of package files that were sent.
  rm -f /var/lib/apt/lists/*_mesosup_runs_*_files_*
  # The reader of this event may start another run immediately.
  exec 9>&-
  emit "{\"event\":\"end\",\"ok\":$1,\"at\":$(now)}"
}

# interrupted WHY: fails the run unless it has ended
interrupted() {
  trap - EXIT
  [ -n "$ended" ] || fail command "the run on the host was stopped: $1" 'Run the same command again to resume.'
}
