# shellcheck shell=sh
# Holds the cluster's lock until the connection ends.
#   LOCK    the lock file, which contains the record of its holder
#   RECORD  a JSON object without its closing brace; the host adds the time

# hold_lock: prints `locked` and holds the lock until its standard input ends. If another process holds the lock, prints
# the record of that process.
hold_lock() {
  umask 077
  while :; do
    mkdir -p "${LOCK%/*}"
    exec 9>>"$LOCK"
    if ! flock -n 9; then cat "$LOCK"; exit 75; fi
    # If the last holder has removed the file that was opened here, the lock is worthless.
    # The shells of Debian and busybox support -ef.
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
