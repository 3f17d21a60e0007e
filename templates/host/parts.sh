# shellcheck shell=sh
# Prints short facts as alternating names and texts, each ended by a NUL.

# part NAME COMMAND...: prints the name and the output of the command
part() { name=$1; shift; printf '%s\0' "$name"; "$@"; printf '\0'; }

# text FILE: prints the file if it is a regular file
text() { [ -f "$1" ] && cat "$1"; }

# engine_runs: succeeds if the process of the Docker engine exists. A client that connects could let systemd start it.
engine_runs() { pid=$(cat /run/docker.pid 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ]; }

# existing PATH: sets $place to the directory, or its nearest existing ancestor
existing() {
  place=$1
  while [ -n "$place" ] && [ ! -d "$place" ]; do place=${place%/*}; done
  place=${place:-/}
}
