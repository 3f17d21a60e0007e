# shellcheck shell=sh
# shellcheck disable=SC2034 # ended: read by run.sh
# Records the cluster of the host, and removes the record at the end of an uninstall.
#   STATE, JOURNAL, BACKUP, RUN, RUN_LOCK, START_LOCK, RUNS, SERVICES, STARTED, CLUSTER, ACCOUNTS, LISTS_STALE, PAYLOADS,
#   RELEASED, FORMER_PACKAGES, INSTALLED_PACKAGES, IMAGES, AGENT_RETURNS  see places.ts

# remember_cluster NAME: also records the accounts that exist before the first change
remember_cluster() {
  [ -e "$ACCOUNTS" ] || accounts >"$ACCOUNTS"
  printf '%s\n' "$1" >"$CLUSTER"
}

# farewell: ends an uninstall. Reports the accounts that packages left behind, and removes mesosup's own files. Keeps
# the data of services in the same directory.
farewell() {
  if [ -s "$ACCOUNTS" ]; then
    left=$(accounts | grep -vxFf "$ACCOUNTS" | sed -z 's/\n\(.\)/, \1/g')
    [ -z "$left" ] || emit "{\"event\":\"left\",\"accounts\":\"$(json "$left")\"}"
  fi
  for kept in "$PAYLOADS"/*/"$RELEASED"; do [ -e "$kept" ] || rm -rf "$PAYLOADS"; done
  rm -rf "$ACCOUNTS" "$SERVICES" "$BACKUP" "$STARTED" "$CLUSTER" "$LISTS_STALE" "$START_LOCK" "$FORMER_PACKAGES" "$INSTALLED_PACKAGES" "$IMAGES" "$AGENT_RETURNS"
  ended=yes
  rm -rf "$JOURNAL" "$RUN" "$RUNS" "$RUN_LOCK"
  rmdir "$STATE" 2>/dev/null
}
