# shellcheck shell=sh
# shellcheck disable=SC2154 # dir, main, output, item: set by run.sh and events.sh
# Runs apt-get until it succeeds: waits for locks, completes an interrupted dpkg run, fetches package lists.
#   JOURNAL, LISTS_STALE, FORMER_PACKAGES, INSTALLED_PACKAGES  see places.ts
#   APT_HOOK      the text of apt-hook.sh
#   ALLOWED       packages that apt may remove or downgrade, a name a line
#   PINS, INDEX, ONLY  see apt.sh
#   LOCK_SECONDS  how long the same program may hold the dpkg lock

# wait_for_dpkg: waits until no program holds a lock of dpkg or apt
wait_for_dpkg() {
  last=
  since=$(date +%s)
  while holder=$(held) && [ -n "$holder" ]; do
    if [ "$holder" != "$last" ]; then
      waiting "the dpkg lock is held by $holder"
      last=$holder
      since=$(date +%s)
    elif [ $(($(date +%s) - since)) -ge "$LOCK_SECONDS" ]; then
      fail dpkg-lock "$holder has held the dpkg lock for $LOCK_SECONDS seconds" 'Check that program on the host. When it has ended, run the same command again.'
    fi
    sleep 0.2
  done
}

# watch_apt: reports apt's progress, at most once a second, until it is killed or the run ends
watch_apt() {
  last=
  while sleep 1 && kill -0 "$main"; do
    line=$(tail -n 1 "$dir/status")
    [ "$line" != "$last" ] || continue
    last=$line
    # dlstatus:FILE:PERCENT:TEXT while apt downloads, and pmstatus:PACKAGE:PERCENT:TEXT while dpkg works
    case $line in dlstatus:*:*:* | pmstatus:*:*:*) ;; *) continue ;; esac
    line=${line#*:*:}
    percent=${line%%[.:]*}
    case $percent in '' | *[!0-9]*) continue ;; esac
    emit "{\"event\":\"progress\",\"item\":$item,\"percent\":$percent,\"text\":\"$(json "${line#*:}")\",\"at\":$(now)}"
  done
}

# apt WORD...: apt-get once, with the hook
apt() {
  printf '%s' "$APT_HOOK" >"$dir/hook"
  printf '%s\n' "$ALLOWED" >"$dir/allowed"
  printf '%s\n' "$PINS" >"$dir/pins"
  if [ -e "$dir/conf" ]; then set -- -c "$dir/conf" "$@"; fi
  : >"$dir/status"
  watch_apt 2>/dev/null 8<&- 9>&- &
  watcher=$!
  exec 7>>"$dir/status"
  logged apt_get -o APT::Status-Fd=7 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o Acquire::Retries=2 -o DPkg::Lock::Timeout=0 \
    -o "DPkg::Pre-Install-Pkgs::=/bin/sh $dir/hook $output $dir/allowed $JOURNAL $FORMER_PACKAGES $dir/pins $INSTALLED_PACKAGES" -o DPkg::Tools::Options::/bin/sh::Version=2 "$@"
  result=$?
  exec 7>&-
  kill "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  return "$result"
}

# cache WORD...: apt-cache, for newest in apt.sh
cache() {
  if [ -e "$dir/conf" ]; then set -- -c "$dir/conf" "$@"; fi
  apt-cache "$@"
}

# update_lists: fetches the package lists; fails with the output of apt-get in $output
update_lists() {
  updated=yes
  say 'fetching the package lists'
  while :; do
    wait_for_dpkg
    # The host's own lists stay as they are if its repositories are not used.
    # The installation builds apt's cache, so once.
    apt update -o pkgCacheFile::Generate=false && { [ -n "$ONLY" ] || rm -f "$LISTS_STALE"; return 0; }
    locked || return 1
    : >"$output"
    sleep 0.5
  done
}

# repair: completes an interrupted dpkg run
repair() {
  wait_for_dpkg
  hold_starts
  say 'completing an interrupted dpkg run'
  logged dpkg --force-confdef --force-confold --configure -a
  wait_for_dpkg
  apt -f install || blame 'an interrupted dpkg run could not be completed'
  # The braces are dpkg-query's.
  # shellcheck disable=SC2016
  if dpkg-query -W -f '${Status}\n' | grep -Evq ' ok (installed|config-files|not-installed)$'; then
    logged dpkg --force-confdef --force-confold --configure -a || blame 'an interrupted dpkg run could not be completed'
  fi
  release_starts
}

# settled WHAT COMMAND...: runs apt-get until it succeeds, or fails permanently; WHAT names the packages in messages
settled() {
  what=$1
  shift
  repaired=
  while :; do
    wait_for_dpkg
    mark=$(wc -l <"$output")
    apt "$@" && return 0
    if tail -n +"$((mark + 1))" "$output" >"$dir/last" && full "$dir/last"; then no_space; fi
    if grep -Eq 'Could not get lock|Unable to acquire the dpkg|is locked by another process' "$dir/last"; then
      sleep 0.5
    elif [ -z "$repaired" ] && grep -Eq 'dpkg was interrupted|Unmet dependencies|fix-broken|-f install' "$dir/last"; then
      repaired=yes
      repair
      hold_starts
    elif [ -z "$updated" ] && grep -Eq 'Unable to locate package|was not found|no installation candidate|404|Failed to fetch|Depends:' "$dir/last"; then
      # Errors caused by the old lists must not be reported as the reason of a later failure.
      : >"$output"
      update_lists
    else
      blame "$what"
    fi
  done
}
