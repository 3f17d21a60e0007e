# shellcheck shell=sh
# shellcheck disable=SC2154 # pid, role: set by adopt
# Reads a host on which others installed Mesos, without changing it. The answer is one line of JSON whose strings are
# outputs in base64, and may contain secrets; see parse-adopted.ts.
#   ADOPTED_PACKAGES  names of packages, one a line
#   SECRET_FLAGS      names of flags whose files are read, separated by `\|`
#   CLUSTER           see places.ts
#   MAX_TEXT          bytes; larger files are not read

# files FILE...: path and text of each small regular file, each ended by a NUL
files() {
  for file; do
    if [ -f "$file" ] && [ "$(stat -L -c %s "$file")" -le "$MAX_TEXT" ]; then
      printf '%s\0' "$file"
      cat "$file"
      printf '\0'
    fi
  done
}

# secret_files: the files that flags of the process name
secret_files() {
  # Paths with blanks are not read.
  # shellcheck disable=SC2046
  files $(cat "/proc/$pid/environ" "/proc/$pid/cmdline" | tr '\0' '\n' |
    sed -n "s#^\(--\|MESOS_\)\($SECRET_FLAGS\)=\(file://\)\{0,1\}\(/.*\)#\4#Ip")
}

# sources: the files from which the process has got its flags
sources() {
  # Paths with blanks are not read.
  # shellcheck disable=SC2046
  files $(systemctl show -P FragmentPath -P DropInPaths -P EnvironmentFiles "$unit" | sed 's/ (ignore_errors=[a-z]*)//') \
    /etc/default/mesos "/etc/default/mesos-$role" /etc/mesos/zk "/etc/mesos-$role"/* \
    "/etc/mesos-$role/attributes"/* "/etc/mesos-$role/resources"/*
}

# The braces are dpkg-query's.
# shellcheck disable=SC2016
adopted_packages() {
  printf '%s\n' "$ADOPTED_PACKAGES" | xargs dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'
}

# zookeepers: the configuration files of the running servers of ZooKeeper
zookeepers() {
  # These paths contain no blanks.
  # shellcheck disable=SC2013
  for file in $(grep -lsz '^org\.apache\.zookeeper\.server\.quorum\.QuorumPeerMain$' /proc/[0-9]*/cmdline); do
    tr '\0' '\n' <"$file" | tail -n 1
  done
}

adopted_parts() {
  part addresses hostname -I
  part packages adopted_packages
  part cluster text "$CLUSTER"
  part docker command -v dockerd
  part zookeepers zookeepers
}

# adopt: prints the answer
adopt() {
  umask 077
  exec 2>/dev/null
  printf '{"format":1'
  adopted_parts | member plain
  printf ',"processes":['
  comma=
  mesos_processes master agent slave | while read -r pid role; do
    unit=$(sed -n 's|.*/\([^/]*\.service\)$|\1|p' "/proc/$pid/cgroup" | head -n 1)
    printf '%s{"role":"%s"' "$comma" "$role"
    comma=,
    printf %s "$unit" | member unit
    member words <"/proc/$pid/cmdline"
    member environment <"/proc/$pid/environ"
    secret_files | member files
    sources | member sources
    printf '}'
  done
  printf ']}\n'
}
