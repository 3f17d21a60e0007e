# shellcheck shell=sh
# shellcheck disable=SC2154 # place: set by existing in parts.sh
# Reads what only the doctor needs, without changing the host. The answer is one line of JSON whose strings are outputs
# in base64; parseExamination reads it.
#   NEWLINE         the separator of lists
#   HOST_ADDRESS    the host's address within the cluster
#   DIALS           servers on other hosts, as `ADDRESS PORT`
#   DIAL_SECONDS    seconds to wait for a connection
#   PLACES          directories whose file systems are read
#   NAMES           names that the host must be able to resolve
#   UNITS           services whose last lines are read
#   UNIT_LINES      number of these lines
#   ZOOKEEPER_DATA, ZOOKEEPER_PORT  of the host's server; both are empty without one
#   GUARDED         requests without credentials that must be refused, as `PORT PATH`

# dial ADDRESS PORT: prints both, and how a connection ends: open, timeout, or the error that bash reports
dial() {
  # The inner bash expands these.
  # shellcheck disable=SC2016
  said=$(LC_ALL=C timeout "$DIAL_SECONDS" bash --norc --noprofile -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
  case $? in
    0) said=open ;;
    124) said=timeout ;;
    *) said=$(printf '%s' "$said" | head -n 1) && said=${said##*: } ;;
  esac
  printf '%s %s %s\n' "$1" "$2" "$said"
}

# dials: the results of all DIALS, in any order
dials() (
  IFS=$NEWLINE
  set -f
  for server in $DIALS; do dial "${server%% *}" "${server#* }" & done
  wait
)

# spaces: blocks, free blocks, inodes, free inodes, and type of the file system, one line for each of PLACES. findmnt
# prints a line for each mount on the same directory, of which the last one is in use.
spaces() (
  IFS=$NEWLINE
  set -f
  for path in $PLACES; do
    existing "$path"
    printf '%s %s\n' "$(stat -f -c '%b %a %c %d' "$place")" "$(findmnt -n -r -o FSTYPE -T "$place" | tail -n 1)"
  done
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

# engine: the Docker engine's own report. Asked only if the engine's process exists, since systemd might start it.
engine() { pid=$(cat /run/docker.pid) && [ -d "/proc/$pid" ] && timeout 10 docker info --format '{{json .}}'; }

# orphans: containers older than a minute whose supervisor is gone, as `ID NAME`; see supervisor-pid.ts
orphans() {
  pid=$(cat /run/docker.pid) && [ -d "/proc/$pid" ] || return
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
  part mntr mntr
}

mntr() { echo mntr | ask "$HOST_ADDRESS" "$ZOOKEEPER_PORT"; }

# guarded: for each of GUARDED the status line of the answer, as `PORT LINE`
guarded() (
  IFS=$NEWLINE
  set -f
  for request in $GUARDED; do
    line=$(printf 'GET %s HTTP/1.0\r\n\r\n' "${request#* }" | ask "$HOST_ADDRESS" "${request%% *}" | head -n 1 | tr -d '\r')
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
