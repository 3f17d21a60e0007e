# shellcheck shell=sh
# Holds the cluster's lock for as long as the connection lives.
#   LOCK    the lock file, which holds the record of its holder
#   RECORD  a JSON object without its closing brace; the host adds the time

# hold_lock: prints `locked` and holds the lock until its standard input ends; where another process holds it, prints
# that one's record
hold_lock() {
  umask 077
  while :; do
    mkdir -p "${LOCK%/*}"
    exec 9>>"$LOCK"
    if ! flock -n 9; then cat "$LOCK"; exit 75; fi
    # The last holder may have removed the file that was opened here: then it locks nothing.
    # The shells of Debian and busybox know -ef.
    # shellcheck disable=SC3013
    [ ! /proc/self/fd/9 -ef "$LOCK" ] || break
  done
  printf '%s,"since":%s}\n' "$RECORD" "$(date +%s%3N)" >"$LOCK"
  echo locked
  cat >/dev/null
  rm -f "$LOCK"
  rmdir "${LOCK%/*}" 2>/dev/null
  exit 0
}
