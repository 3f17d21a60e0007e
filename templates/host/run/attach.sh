# shellcheck shell=sh
# Follows a run from its beginning, whether it is under way or over.
#   STATE          see places.ts
#   RUN_DIRECTORY  the directory of the run

# attach: prints the events; where there is no such run, `{"unknown":true}` with `"empty":true` where mesosup has left
# nothing on the host
attach() {
  if [ -s "$RUN_DIRECTORY/events.ndjson" ]; then follow
  elif [ -d "$STATE" ]; then echo '{"unknown":true,"empty":false}'
  else echo '{"unknown":true,"empty":true}'; fi
}
