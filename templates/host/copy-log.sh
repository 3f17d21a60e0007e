# shellcheck shell=sh
# Copies the replicated log of a stopped master to another host.
#   MASTER_SERVICE  the name of the master's service

# stop_master: under systemd or Upstart
stop_master() {
  if [ -d /run/systemd/system ]; then systemctl stop "$MASTER_SERVICE"; return; fi
  case $(initctl status "$MASTER_SERVICE") in
    *' start/'*) initctl stop "$MASTER_SERVICE" >&2 ;;
    *' stop/'*) ;;
    *) return 1 ;;
  esac
}

# send_log DIRECTORY: stops the master whose work directory this is, and prints its log as base64
send_log() {
  copy=$(mktemp) || return
  trap 'rm -f "$copy"' EXIT
  stop_master && tar -C "$1" -cf "$copy" replicated_log && base64 -w 0 "$copy"
}

# receive_log DIRECTORY: reads what send_log has printed, and puts it into the work directory of a new master
receive_log() {
  mkdir -p "$1" && rm -rf "$1/replicated_log" && base64 -d | tar -C "$1" -x
}
