# shellcheck shell=sh
# Prints a backup of the scheduler's state, which the program on the host reads from the store.
#   PAYLOADS  see places.ts

# scheduler_state
scheduler_state() {
  own=$(mktemp -d) || exit
  trap 'rm -rf "$own"' EXIT
  "$PAYLOADS/current/bin/mesosup" scheduler backup "$own/state" >&2 && cat "$own/state"
}
