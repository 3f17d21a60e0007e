# shellcheck shell=sh
# shellcheck disable=SC2034 # output and error: read by the steps
# shellcheck disable=SC2154 # item: set by events.sh
# Begins and ends a run of an apply script.
#   STATE, RUN, RUN_LOCK, RUN_DIRECTORY  see places.ts
#   RECORD           what run.json says about the run: a JSON object without its closing brace; the host adds the time
#   ESCAPE_COMMANDS  of sed: they make a line safe for a JSON string, and hide secrets

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
  # The shell reads an unlinked file to its end, and the secrets in it are gone whatever happens.
  rm -f "$0"
  exec 3>>"$dir/events.ndjson"
  echo "$$" >"$dir/pid"
  printf '%s,"since":%s}\n' "$RECORD" "$(date +%s%3N)" >"$RUN.new" && mv -f "$RUN.new" "$RUN"
  output=$dir/output
  error=$dir/error
  : >"$output"
  # The secrets in this file are behind descriptor 8 only.
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

# begin_steps RUN COUNT: reports the beginning, and puts right what an earlier run left when it was killed
begin_steps() {
  emit "{\"event\":\"begin\",\"run\":\"$1\",\"items\":$2,\"at\":$(now)}"
  release_starts
  unshield
}

# finish true|false: reports the end, and whether all went well
finish() {
  ended=yes
  release_starts
  unshield
  rm -f "$RUN" "$dir/hook" "$dir/allowed"
  # A reader of the end may begin another run at once.
  exec 9>&-
  emit "{\"event\":\"end\",\"ok\":$1,\"at\":$(now)}"
}

# interrupted WHY: the run fails unless it has ended
interrupted() {
  trap - EXIT
  [ -n "$ended" ] || fail command "the run on the host was stopped: $1" 'Run the same command again: it goes on with what is left to do.'
}
