# shellcheck shell=sh
# Prints the events of a run.
#   RUN_DIRECTORY  the directory of the run

# follow: prints all events until the run's process has ended, then `{"followed":true}`. tail notices new lines by
# inotify, and checks for the process ten times a second.
follow() {
  pid=$(cat "$RUN_DIRECTORY/pid" 2>/dev/null)
  tail -n +1 -s 0.1 -f --pid="${pid:-1}" "$RUN_DIRECTORY/events.ndjson" 2>/dev/null
  echo '{"followed":true}'
}
