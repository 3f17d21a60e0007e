# shellcheck shell=sh
# Follows a run from its beginning, also when it has ended already.
#   STATE          see places.ts
#   RUN_DIRECTORY  the directory of the run

# attach: prints the events. If the run does not exist, prints `{"unknown":true}`, with `"empty":true` if the host has
# no files of mesosup.
attach() {
  if [ -s "$RUN_DIRECTORY/events.ndjson" ]; then follow
  elif [ -d "$STATE" ]; then echo '{"unknown":true,"empty":false}'
  else echo '{"unknown":true,"empty":true}'; fi
}
