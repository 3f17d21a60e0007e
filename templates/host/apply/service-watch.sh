# shellcheck shell=sh
# shellcheck disable=SC2154 # init, last_start: set by services.sh
# shellcheck disable=SC2034 # item: read by events.sh
# Watches the services that a run has started, until each has stayed up for a while.
#   SERVICES           see places.ts
#   STAY_MILLISECONDS  how long a service has to stay up
#
# $watched contains an entry for each, ITEM|NAME|UNIT|INPUTS|STATE, separated by blanks.

# unit_states UNIT...: prints one line for each: up, starting or down, its process and its number of restarts
unit_states() {
  if [ "$init" = systemd ]; then
    systemctl show -p ActiveState,SubState,MainPID,NRestarts "$@" | awk -F = '
      function print_state() {
        state = "up"
        if (v["ActiveState"] == "activating") state = "starting"
        if (v["ActiveState"] ~ /^(failed|inactive)$/ || v["SubState"] ~ /^auto-restart/) state = "down"
        print state "/" (v["MainPID"] + 0) "/" (v["NRestarts"] + 0)
        split("", v)
      }
      # An empty line separates two units.
      NF == 0 { print_state(); next }
      { v[$1] = $2 }
      END { print_state() }'
    return
  fi
  for unit in "$@"; do
    initctl status "${unit%.service}" 2>/dev/null | awk '
      { for (i = 1; i < NF; i++) if ($i == "process") pid = $(i + 1) }
      $2 ~ /^start\// { state = "starting" }
      $2 ~ /^start\/running/ { state = "up" }
      END { print (state ? state : "down") "/" (pid + 0) "/0" }'
  done
}

# take_apart ENTRY: sets $number, $name, $unit, $inputs and $was from an entry of $watched
take_apart() {
  IFS='|'
  # Splits at the bars.
  # shellcheck disable=SC2086
  set -- $1
  unset IFS
  number=$1 name=$2 unit=$3 inputs=$4 was=$5
}

# check_services: fails as soon as a watched service is down or has started again
check_services() {
  [ -n "$watched" ] || return 0
  units=
  for entry in $watched; do
    take_apart "$entry"
    units="$units $unit"
  done
  # Names of units contain no blanks, and a state is one word.
  # shellcheck disable=SC2046,SC2086
  set -- $(unit_states $units)
  for entry in $watched; do
    take_apart "$entry"
    is=${1-}
    [ $# = 0 ] || shift
    case $is in
      up/* | starting/*)
        # A new process while the service is starting is not a crash.
        case $was in starting/*) continue ;; esac
        [ "$is" != "$was" ] || continue
        ;;
    esac
    item=$number
    failing "$name does not stay up" "$unit"
  done
}

# settle_services: waits until the watched services have stayed up, and ends their items
settle_services() {
  [ -n "$watched" ] || return 0
  while :; do
    check_services
    [ $(($(now) - last_start)) -lt "$STAY_MILLISECONDS" ] || break
    sleep 0.5
  done
  for entry in $watched; do
    take_apart "$entry"
    printf '%s\n' "$inputs" >"$SERVICES/$name.inputs"
    done_item "$number"
  done
  watched=
}
