# shellcheck shell=sh
# shellcheck disable=SC2034 # ended: read by run.sh
# Remembers for which cluster the host is, and forgets it in the end.
#   STATE, JOURNAL, BACKUP, RUN, RUN_LOCK, START_LOCK, RUNS, SERVICES, STARTED, CLUSTER, ACCOUNTS, LISTS_STALE, PAYLOADS,
#   RELEASED  see places.ts

# remember_cluster NAME: also records the accounts that are there before the first change
remember_cluster() {
  [ -e "$ACCOUNTS" ] || accounts >"$ACCOUNTS"
  printf '%s\n' "$1" >"$CLUSTER"
}

# farewell: the end of an uninstall. Reports the accounts that packages left, and removes what mesosup kept for itself.
# Data of services in the same directory stays.
farewell() {
  if [ -s "$ACCOUNTS" ]; then
    left=$(accounts | grep -vxFf "$ACCOUNTS" | sed -z 's/\n\(.\)/, \1/g')
    [ -z "$left" ] || emit "{\"event\":\"left\",\"accounts\":\"$(json "$left")\"}"
  fi
  for kept in "$PAYLOADS"/*/"$RELEASED"; do [ -e "$kept" ] || rm -rf "$PAYLOADS"; done
  rm -rf "$ACCOUNTS" "$SERVICES" "$BACKUP" "$STARTED" "$CLUSTER" "$LISTS_STALE" "$START_LOCK"
  ended=yes
  rm -rf "$JOURNAL" "$RUN" "$RUNS" "$RUN_LOCK"
  rmdir "$STATE" 2>/dev/null
}
