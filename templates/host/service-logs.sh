# shellcheck shell=sh
# Prints the logs of services.
#   UNITS   names of services, one a line; those that the host does not have are left out
#   TAIL    number of last lines, or `all`
#   SINCE   seconds since 1970, or seconds ago with a minus sign; empty for no limit
#   CURSOR  the journal's name of a line: only later ones are printed; empty for no limit
#   FOLLOW  `yes`: goes on with new lines. The first line is then `{"now":SECONDS}` with the host's time, or 0 for Upstart's
#           files, which have no times

# service_logs: prints systemd's journal as JSON, an entry a line, or Upstart's files, each line with the service in front
service_logs() (
  IFS='
'
  set -f
  if [ -d /run/systemd/system ]; then
    set -- -q --no-pager -o json --output-fields=MESSAGE,_SYSTEMD_UNIT,UNIT
    for unit in $UNITS; do set -- "$@" -u "$unit"; done
    if [ -n "$CURSOR" ]; then set -- "$@" -n all --after-cursor "$CURSOR"
    else
      set -- "$@" -n "$TAIL"
      case $SINCE in '') ;; -*) set -- "$@" --since "${SINCE}s" ;; *) set -- "$@" --since "@$SINCE" ;; esac
    fi
    [ -z "$FOLLOW" ] || { printf '{"now":%s}\n' "$(date +%s)"; set -- "$@" -f; }
    exec journalctl "$@"
  fi
  # Upstart's files have no times. After a lost connection, the new lines are enough.
  [ -z "$CURSOR" ] || TAIL=0
  [ "$TAIL" = all ] && TAIL=+1
  [ -z "$FOLLOW" ] || printf '{"now":0}\n'
  for unit in $UNITS; do
    file=/var/log/upstart/${unit%.service}.log
    [ -f "$file" ] || continue
    tail -n "$TAIL" ${FOLLOW:+-F} "$file" | sed -u "s/^/${unit%.service} /" &
  done
  wait
)
