# shellcheck shell=sh
# shellcheck disable=SC2154 # place: set by existing in parts.sh
# Reads what only the doctor needs, without changing the host. The answer is one line of JSON whose strings are outputs
# in base64; parseExamination reads it.
#   NEWLINE         the separator of lists
#   HOST_ADDRESS    the host's address within the cluster
#   DIALS           servers on other hosts, as `ADDRESS PORT PATH`; PATH is empty for a server that is not asked
#   DIAL_SECONDS    seconds to wait for a connection, and for an answer
#   LARGE_BYTES     size of a request that does not fit into one packet
#   PLACES          directories whose file systems are read
#   NAMES           names that the host must be able to resolve
#   UNITS           services whose last lines are read
#   UNIT_LINES      number of these lines
#   ZOOKEEPER_DATA, ZOOKEEPER_PORT  of the host's server; both are empty without one
#   CERTIFICATES    files, and directories of files whose names end in .pem
#   KERNEL_HOURS    hours of the kernel's log that are read
#   KERNEL_FAULTS   extended regular expression for its lines
#   GUARDED         requests without credentials that must be refused, as `PORT PATH`

# dial ADDRESS PORT PATH: prints the first two, and how a connection ends: open, timeout, or the error that bash reports.
# `open large`: only requests that fit into one small packet are answered.
dial() {
  said=$(LC_ALL=C converse "$@" "$LARGE_BYTES" 2>&1)
  case $?:$said in
    124:open*) if short_only "$@"; then said='open large'; else said=open; fi ;;
    *:open*) said=open ;;
    124:*) said=timeout ;;
    *) said=$(printf '%s' "$said" | head -n 1) && said=${said##*: } ;;
  esac
  printf '%s %s %s\n' "$1" "$2" "$said"
}

# converse ADDRESS PORT PATH BYTES: prints `open` when it is connected, and sends a request of this size, unless PATH is
# empty. Fails with 124 if there is no connection or no answer in time.
converse() {
  # The inner bash expands these.
  # shellcheck disable=SC2016
  timeout "$DIAL_SECONDS" bash --norc --noprofile -c 'exec 3<>"/dev/tcp/$0/$1" && echo open && [ -n "$2" ] && printf "GET %s HTTP/1.0\r\nX-Fill: %0$3d\r\n\r\n" "$2" 0 >&3 && read -r _ <&3' "$@"
}

# short_only ADDRESS PORT PATH: true if short requests are answered before and after a large one is not. A single slow
# answer has another cause.
short_only() { answers "$@" 1 && ! answers "$@" "$LARGE_BYTES" && answers "$@" 1; }

answers() {
  converse "$@" >/dev/null 2>&1
  [ $? -ne 124 ]
}

# dials: the results of all DIALS, in any order
dials() (
  IFS=$NEWLINE
  set -f
  for server in $DIALS; do
    IFS=' '
    # An address, a port and a path.
    # shellcheck disable=SC2086
    set -- $server
    dial "$1" "$2" "${3-}" &
  done
  wait
)

# spaces: blocks, free blocks, inodes, free inodes, and type of the file system, one line for each of PLACES
spaces() (
  IFS=$NEWLINE
  set -f
  set --
  for path in $PLACES; do
    existing "$path"
    set -- "$@" "$place"
  done
  stat -f -c '%b %a %c %d %T' "$@"
)

# names: each of NAMES and its first address, if it has one
names() (
  IFS=$NEWLINE
  set -f
  for name in $NAMES; do
    found=$(timeout "$DIAL_SECONDS" getent ahostsv4 "$name" | head -n 1)
    printf '%s %s\n' "$name" "${found%% *}"
  done
)

# mtu: of the interface with the host's address
mtu() {
  device=$(ip -o -4 addr show | awk -v own="$HOST_ADDRESS" '{ split($4, a, "/"); if (a[1] == own) { print $2; exit } }')
  [ -n "$device" ] && cat "/sys/class/net/$device/mtu"
}

# engine: the Docker engine's own report
engine() { engine_runs && timeout 10 docker info --format '{{json .}}'; }

# orphans: containers older than a minute whose supervisor is gone, as `ID NAME`; see supervisor-pid.ts
orphans() {
  engine_runs || return
  timeout 10 docker ps -a --no-trunc --filter label=mesosup.sandbox --format '{{.ID}} {{.Names}} {{.Label "mesosup.sandbox"}}' |
    while read -r id name sandbox; do
      # The task may have put another kind of file there.
      [ -f "$sandbox/supervisor.pid" ] || continue
      told=$(timeout 2 head -c 64 "$sandbox/supervisor.pid") || continue
      pid=${told%% *} began=${told#* }
      case $pid in '' | *[!0-9]*) continue ;; esac
      now=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
      [ "$now" = "$began" ] || printf '%s %s\n' "$id" "$name"
    done
}

# unit_logs: the last lines of each of UNITS, each with the name in front
unit_logs() (
  IFS=$NEWLINE
  set -f
  for unit in $UNITS; do
    if [ -d /run/systemd/system ]; then
      timeout 5 journalctl -u "$unit" -n "$UNIT_LINES" -o cat --no-pager
    else
      tail -n "$UNIT_LINES" "/var/log/upstart/$unit.log"
    fi | sed "s/^/$unit /"
  done
)

zookeeper_own() {
  [ -n "$ZOOKEEPER_PORT" ] || return
  part myid text "$ZOOKEEPER_DATA/myid"
  part mntr zookeeper_says mntr
  part srvr zookeeper_says srvr
  part snapshots snapshots
}

# zookeeper_says WORD: the answer of the host's server
zookeeper_says() { echo "$1" | ask "$HOST_ADDRESS" "$ZOOKEEPER_PORT"; }

# snapshots: name, size and time of each
snapshots() { find "$ZOOKEEPER_DATA/version-2" -maxdepth 1 -type f -name 'snapshot.*' -printf '%f %s %T@\n'; }

# kernel: its lines about faults, with their times. Without systemd's journal, dmesg has times since the boot.
kernel() {
  if [ -d /run/systemd/system ]; then
    timeout 5 journalctl -q --no-pager -o short-iso -k --since "-${KERNEL_HOURS}h" -n 10000
  else
    dmesg | awk -v now="$(cut -d . -f 1 /proc/uptime)" -v hours="$KERNEL_HOURS" -F '[][ .]+' '$2 + 0 > now - hours * 3600'
  fi | grep -E "$KERNEL_FAULTS" | tail -n 50
}

# certificates: each file of CERTIFICATES, as a part of its own. Keys stay on the host.
certificates() (
  IFS=$NEWLINE
  set -f
  for place in $CERTIFICATES; do
    if [ -d "$place" ]; then
      set +f
      for file in "$place"/*.pem; do [ -f "$file" ] && part "certificate $file" public "$file"; done
      set -f
    else
      part "certificate $place" public "$place"
    fi
  done
)

# public FILE: the certificates in it
public() {
  [ -f "$1" ] && head -c 1048576 "$1" | tr -d '\0' | awk '/^-----BEGIN CERTIFICATE-----/ { on = 1 } on { print } /^-----END CERTIFICATE-----/ { on = 0 }'
}

# guarded: for each of GUARDED the status line of the answer, as `PORT LINE`
guarded() (
  IFS=$NEWLINE
  set -f
  for request in $GUARDED; do
    line=$(printf 'GET %s HTTP/1.0\r\n\r\n' "${request#* }" | ask_service "$HOST_ADDRESS" "${request%% *}" | head -n 1 | tr -d '\r')
    printf '%s %s\n' "${request%% *}" "$line"
  done
)

# short: what is read quickly, as the member `plain`
short() { shorts | member plain; }

shorts() {
  part spaces spaces
  part names names
  part mtu mtu
  part own-name getent hosts "$(uname -n)"
  zookeeper_own
  part kernel kernel
  certificates
}

# One member for each of the others.
dialled() { dials | member dials; }
engine_report() { engine | member engine; }
orphan_list() { orphans | member orphans; }
last_lines() { unit_logs | member logs; }
guarded_list() { guarded | member guarded; }

# examine: prints the answer
examine() {
  umask 077
  exec 2>/dev/null
  printf '{"format":1'
  side_by_side dialled engine_report orphan_list last_lines guarded_list short
  printf '}\n'
}
