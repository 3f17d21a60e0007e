# shellcheck shell=sh
# Reads what a support bundle shows of a host beyond its facts and its examination, without changing the host. The answer
# is one line of JSON whose strings are parts (parts.sh) in base64; parseCollection reads it. Lists of processes have no
# arguments, and lists of containers no settings, since both may contain secrets.
#   NEWLINE         the separator of lists
#   UNITS           services whose last lines are read
#   UNIT_LINES      number of these lines
#   HOST_ADDRESS    the host's address within the cluster
#   ZOOKEEPER_PORT  of the host's server; empty without one
#   MASTER_PORT, AGENT_PORT, SCHEDULER_PORT            empty without a server
#   MASTER_REQUEST, AGENT_REQUEST, SCHEDULER_REQUEST   HTTP requests for their metrics

# last_of_unit NAME: the last lines of a service; nothing for a service that the host does not have
last_of_unit() {
  if [ -d /run/systemd/system ]; then
    timeout 10 journalctl -q --no-pager -o short-iso -u "$1" -n "$UNIT_LINES"
  else
    tail -n "$UNIT_LINES" "/var/log/upstart/${1%.service}.log"
  fi | tr -d '\0'
}

service_logs() (
  IFS=$NEWLINE
  set -f
  for unit in $UNITS; do part "$unit" last_of_unit "$unit"; done | member logs
)

# kernel_log: its last lines. In a container, dmesg would show the log of the machine.
kernel_log() {
  if [ -d /run/systemd/system ]; then timeout 10 journalctl -q --no-pager -o short-iso -k -n "$UNIT_LINES"
  else dmesg | tail -n "$UNIT_LINES"; fi | tr -d '\0'
}

# unit_states: of each of UNITS, without the arguments of its processes, and what else has failed
unit_states() (
  IFS=$NEWLINE
  set -f
  if [ -d /run/systemd/system ]; then
    # A unit a line. The pattern has a backtick.
    # shellcheck disable=SC2016,SC2086
    timeout 10 systemctl status --no-pager --lines=0 --full -- $UNITS | grep -vE '^ *[|`][|` -]*-[0-9 ]|Process: |CGroup: '
    timeout 10 systemctl list-units --failed --no-legend --no-pager
  else
    initctl list
  fi
)

busiest() { ps -eo pid,ppid,user,stat,etime,rss,comm --sort=-rss | head -n 40; }
pressure() { head -n 9 /proc/loadavg /proc/pressure/*; }
containers() {
  engine_runs || return
  timeout 10 docker ps -a --format '{{.ID}} {{.Names}} {{.Image}} {{.Status}}'
}

system_texts() {
  {
    part kernel kernel_log
    part services unit_states
    part time date -u
    part uptime uptime
    part disks df -P -T
    part inodes df -P -i
    part memory text /proc/meminfo
    part pressure pressure
    part processes busiest
    part addresses ip -o addr show
    part routes ip route show
    part listeners ss -ltn
    part containers containers
  } | member system
}

# zookeeper_says WORD: the answer of the host's server
zookeeper_says() { echo "$1" | ask "$HOST_ADDRESS" "$ZOOKEEPER_PORT" | tr -d '\0'; }

metrics_of() { printf '%s' "$2" | ask_service "$HOST_ADDRESS" "$1" | tr -d '\0'; }

metric_texts() {
  {
    if [ -n "$ZOOKEEPER_PORT" ]; then
      part zookeeper zookeeper_says mntr
      part zookeeper-configuration zookeeper_says conf
    fi
    [ -z "$MASTER_PORT" ] || part master metrics_of "$MASTER_PORT" "$MASTER_REQUEST"
    [ -z "$AGENT_PORT" ] || part agent metrics_of "$AGENT_PORT" "$AGENT_REQUEST"
    [ -z "$SCHEDULER_PORT" ] || part scheduler metrics_of "$SCHEDULER_PORT" "$SCHEDULER_REQUEST"
  } | member metrics
}

# collect: prints the answer
collect() {
  umask 077
  exec 2>/dev/null
  printf '{"format":1'
  side_by_side service_logs system_texts metric_texts
  printf '}\n'
}
