# shellcheck shell=sh
# shellcheck disable=SC2034 # last_start: read by service-watch.sh
# shellcheck disable=SC2154 # dir, error: set by run.sh; known: set by journal.sh; item: set by events.sh
# Starts, stops, enables and disables services, under systemd or Upstart.
#   SERVICES, PAYLOADS  see places.ts

# find_init: sets $init
find_init() {
  if [ -d /run/systemd/system ]; then init=systemd
  elif initctl version 2>/dev/null | grep -q upstart; then init=upstart
  else init=other; fi
}

reload=
watched=

# need_init: fails without systemd and Upstart
need_init() {
  [ "$init" != other ] || fail service 'the host runs neither systemd nor Upstart' 'Boot the host with systemd or Upstart.'
}

# reload_units [UNIT]: makes systemd read its units again if one has changed
reload_units() {
  [ "$init" = systemd ] || { reload=; return 0; }
  if [ -n "$reload" ] || [ "$(systemctl show -p NeedDaemonReload "${1:-init.scope}")" = NeedDaemonReload=yes ]; then
    logged systemctl daemon-reload
    reload=
  fi
}

# failing WHAT UNIT: fails with the last lines that the service wrote
failing() {
  if [ "$init" = systemd ]; then
    how=$(systemctl show -p Result,ExecMainStatus "$2" | tr '\n' ' ')
    last=$(journalctl -q --no-pager -o cat -n 20 -u "$2" 2>/dev/null)
    where="journalctl -u $2"
  else
    how=
    last=$(tail -n 20 "/var/log/upstart/${2%.service}.log" 2>/dev/null)
    where="/var/log/upstart/${2%.service}.log"
  fi
  fail service "$1${how:+ ($how)}. Last lines of its log:
$last" "Fix the problem that the log shows, then run the same command again. Full log: $where"
}

# sockets UNIT: prints the socket units that start the unit at the next connection
sockets() { systemctl show -p TriggeredBy "$1" | sed 's/^TriggeredBy=//' | tr ' ' '\n' | grep '\.socket$'; }

# keep_service NAME UNIT: records if the service is enabled, and if it runs
keep_service() {
  case $known in *"{\"kind\":\"service\",\"name\":\"$1\","*) return 0 ;; esac
  enabled=unknown
  running=false
  if [ "$init" = systemd ]; then
    state=$(systemctl is-enabled "$2" 2>/dev/null)
    case $state in
      enabled* | disabled | static | generated) enabled=${state%-runtime} ;;
      masked*) enabled=masked ;;
      indirect) enabled=static ;;
    esac
    # Names of units contain no blanks.
    # shellcheck disable=SC2046
    systemctl -q is-active "$2" $(sockets "$2") && running=true
  elif [ "$init" = upstart ]; then
    if [ -f "/etc/init/$1.conf" ]; then
      enabled=enabled
      grep -qsx manual "/etc/init/$1.override" && enabled=disabled
    fi
    initctl status "$1" 2>/dev/null | grep -q ' start/' && running=true
  fi
  record "{\"kind\":\"service\",\"name\":\"$1\",\"before\":{\"enabled\":\"$enabled\",\"running\":$running}}"
}

# enable_together UNIT...: enables all units with one call, since systemd reads all units at each call. Each item of the
# plan enables its unit again, and reports a failure.
enable_together() {
  [ "$init" = systemd ] || return 0
  reload_units "$1"
  logged systemctl enable "$@" || :
}

# set_enabled NAME UNIT enabled|disabled|masked
set_enabled() {
  need_init
  if [ "$init" = upstart ]; then
    case $3 in
      enabled) rm -f "/etc/init/$1.override" ;;
      *) echo manual >"/etc/init/$1.override" ;;
    esac
    return
  fi
  reload_units "$2"
  case $3 in
    masked) change=mask ;;
    disabled) change=disable ;;
    *) change=enable ;;
  esac
  state=$(systemctl is-enabled "$2" 2>/dev/null)
  if [ "$change:$state" = enable:enabled ]; then return 0; fi
  if [ "$change" != mask ]; then
    case $state in masked*) logged systemctl unmask "$2" || failing "$1 could not be unmasked" "$2" ;; esac
  fi
  logged systemctl "$change" "$2" || failing "systemctl $change $2 failed: $(last_lines 3)" "$2"
}

# check_service NAME --property=... COMMAND...: fails if the command rejects the new settings of the service. Uses a
# unit of type oneshot, since systemd-run --wait needs D-Bus.
check_service() {
  name=$1
  shift
  words=$dir/check
  rm -f "$words"
  systemd-run --quiet --collect --property=Type=oneshot --property=TimeoutStartSec=60 \
    "--property=StandardOutput=file:$words" "--property=StandardError=file:$words" "$@" >"$error" 2>&1 && return 0
  why=$(cat "$words" "$error" 2>/dev/null | head -c 2000)
  fail check "$name refuses its new settings: ${why:-it reported nothing within 60 seconds}" 'Correct the settings, then run the same command again. The service and its settings are unchanged.'
}

# run_service start|restart NAME UNIT INPUTS: INPUTS is the digest of everything that the service reads. settle_services
# ends the item when the service has stayed up.
run_service() {
  need_init
  reload_units "$3"
  if [ "$init" = systemd ]; then
    systemctl reset-failed "$3" 2>/dev/null
    logged systemctl "$1" "$3" || failing "$2 does not start" "$3"
  else
    # A restart would keep the old definition of the job.
    [ "$1" = start ] || logged initctl stop "$2"
    initctl status "$2" 2>/dev/null | grep -q ' start/' || logged initctl start "$2" || failing "$2 does not start" "$3"
  fi
  set -- "$1" "$2" "$3" "$4" "$(unit_states "$3")"
  case $5 in down/* | '') failing "$2 ended right after its start" "$3" ;; esac
  watched="$watched $item|$2|$3|$4|$5"
  last_start=$(now)
}

# forget_starts NAME...: if the run ends before it has restarted these services, the next one restarts them: a service
# does not show which version of its package it was started with
forget_starts() {
  for name; do rm -f "$SERVICES/$name.inputs"; done
}

# move_state NAME UNIT DIRECTORY FILE: moves the state of the scheduler from its directory to ZooKeeper, at the address
# in the file. Keeps the old files in DIRECTORY/moved. A store that is not empty has got the state by an earlier run.
move_state() {
  ls "$3"/journal.* >/dev/null 2>&1 || return 0
  program=$PAYLOADS/current/bin/mesosup
  copy=$dir/scheduler.backup
  rm -f "$copy"
  say "moving the state of $1 from $3 to ZooKeeper"
  [ "$init" = other ] || stop_service "$1" "$2"
  if ! { "$program" scheduler backup "$copy" --data-dir "$3" && "$program" scheduler restore "$copy" --zk "file://$4"; } >"$error" 2>&1; then
    case $(cat "$error") in
      *'is not empty'*) ;;
      *) fail state "the state of $1 was not moved to ZooKeeper: $(head -c 2000 "$error")" 'Fix this, then run the same command again. The state is unchanged.' ;;
    esac
  fi
  if ! { mkdir -p "$3/moved" && mv "$3"/journal.* "$3/moved/"; } 2>"$error"; then
    fail state "the moved state of $1 can't be renamed: $(head -c 2000 "$error")" 'Fix this, then run the same command again.'
  fi
  rm -f "$copy"
}

# stop_service NAME UNIT: stops the service, and the sockets that would start it again
stop_service() {
  need_init
  if [ "$init" = systemd ]; then
    reload_units "$2"
    [ "$(systemctl show -p LoadState "$2")" != LoadState=not-found ] || return 0
    # Names of units contain no blanks.
    # shellcheck disable=SC2046
    logged systemctl stop "$2" $(sockets "$2") || failing "$1 does not stop" "$2"
    systemctl reset-failed "$2" 2>/dev/null
  elif initctl status "$1" 2>/dev/null | grep -q ' start/'; then
    logged initctl stop "$1" || failing "$1 does not stop" "$2"
  fi
}

# drop_enabled NAME UNIT: disables the service if it is enabled
drop_enabled() {
  rm -f "$SERVICES/$1.inputs"
  if [ "$init" = upstart ]; then
    [ ! -f "/etc/init/$1.conf" ] || set_enabled "$1" "$2" disabled
  else
    case $(systemctl is-enabled "$2" 2>/dev/null) in enabled*) set_enabled "$1" "$2" disabled ;; esac
  fi
}

# restore_service NAME UNIT STATE RUNNING: restores the state of the service before mesosup, unless the service no
# longer exists
restore_service() {
  rm -f "$SERVICES/$1.inputs"
  if [ "$init" = systemd ]; then
    reload_units "$2"
    if [ "$3" != masked ]; then
      case $(systemctl is-enabled "$2" 2>/dev/null) in masked*) logged systemctl unmask "$2" ;; esac
    fi
    [ "$(systemctl show -p LoadState "$2")" != LoadState=not-found ] || return 0
  elif [ "$init" = other ] || [ ! -f "/etc/init/$1.conf" ]; then
    return 0
  fi
  case $3 in
    enabled | masked) set_enabled "$1" "$2" "$3" ;;
    disabled | unknown) drop_enabled "$1" "$2" ;;
  esac
  case $4 in
    true) logged systemctl start "$2" || say "$1 did not start again" ;;
    *) stop_service "$1" "$2" ;;
  esac
}
