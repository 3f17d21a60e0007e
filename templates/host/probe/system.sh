# shellcheck shell=sh
# shellcheck disable=SC2154 # place: set by existing in parts.sh
# Reads short facts.
#   JOURNAL, CLUSTER, STARTED, RUN, RUN_LOCK, SERVICES, PAYLOADS, RELEASED, START_POLICY, START_POLICY_MARK  see places.ts
#   DISKS         directories whose file systems are probed, one path a line
#   USERS         names, one a line
#   AGENT_LATEST  the link to the agent's id, or empty

init() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif initctl version | grep -q upstart; then echo upstart
  else echo other; fi
}

cgroups() {
  case $(stat -f -c %T /sys/fs/cgroup) in
    cgroup2fs) echo v2 ;;
    tmpfs) if [ "$(stat -f -c %T /sys/fs/cgroup/unified)" = cgroup2fs ]; then echo hybrid; else echo v1; fi ;;
    *) echo none ;;
  esac
}

addresses() {
  if command -v ip >/dev/null; then ip -4 route show default; ip -o addr show scope global
  else hostname -I; fi
}

# disks: free blocks and their size, one line for each of DISKS
disks() (
  IFS=$NEWLINE
  set -f
  set --
  for path in $DISKS; do
    existing "$path"
    set -- "$@" "$place"
  done
  [ $# -eq 0 ] || stat -f -c '%a %S' "$@"
)

# mounts: mount options and those of the file system, one line for each of DISKS. A directory may be mounted on itself with
# other options, which neither its device nor its name shows.
mounts() (
  IFS=$NEWLINE
  set -f
  for path in $DISKS; do
    existing "$path"
    # No link in it.
    (CDPATH='' && cd "$place" && pwd -P) 2>/dev/null || echo "$place"
  done | awk '
    BEGIN {
      while ((getline line <"/proc/self/mountinfo") > 0) {
        fields = split(line, field, " ")
        gsub(/\\040/, " ", field[5])
        point[++count] = field[5]
        options[count] = field[6] "," field[fields]
      }
    }
    {
      deepest = ""
      found = "unknown"
      # Of several mounts on the same directory, the last one is in use.
      for (i = 1; i <= count; i++)
        if ((point[i] == "/" || $0 == point[i] || index($0, point[i] "/") == 1) && length(point[i]) >= length(deepest)) {
          deepest = point[i]
          found = options[i]
        }
      print found
    }'
)

# left: traces of an interrupted dpkg, and of a run that was killed
left() {
  for file in /var/lib/dpkg/updates/[0-9]*; do [ -e "$file" ] && echo dpkg && break; done
  if [ -f "$START_POLICY" ] && grep -qxF "$START_POLICY_MARK" "$START_POLICY"; then echo policy-rc.d; fi
}

users() (
  IFS=$NEWLINE
  set -f
  for user in $USERS; do id "$user"; done
)

listeners() { if command -v ss >/dev/null; then ss -ltnp; else cat /proc/net/tcp /proc/net/tcp6; fi; }

# inputs: `DIGEST NAME` for each service that mesosup has started; the digest covers everything that it read then
inputs() {
  for file in "$SERVICES"/*.inputs; do
    [ -f "$file" ] && IFS= read -r digest <"$file" && file=${file##*/} && printf '%s %s\n' "$digest" "${file%.inputs}"
  done
}

# dockers: Docker engines that are not from a package of the distribution
dockers() {
  for path in /snap/bin/docker /var/lib/snapd/snap/bin/docker; do [ -e "$path" ] && echo "snap $path"; done
  for path in /usr/local/sbin/dockerd /usr/local/bin/dockerd /usr/sbin/dockerd /usr/bin/dockerd; do
    # dpkg-query -S takes a hundred times as long.
    [ -x "$path" ] && ! grep -qsxF -e "$path" -e "$(readlink -f "$path")" /var/lib/dpkg/info/*.list && echo "static $path"
  done
  [ -d /opt/docker-desktop ] && echo desktop /opt/docker-desktop
  for path in /root/.config/systemd/user/docker.service /home/*/.config/systemd/user/docker.service; do
    [ -e "$path" ] && echo "rootless $path"
  done
  # Other programs use rootlesskit too.
  # These paths contain no blanks.
  # shellcheck disable=SC2013
  for path in $(grep -lx rootlesskit /proc/[0-9]*/comm); do
    path=${path%/comm}
    tr '\0' ' ' <"$path/cmdline" | grep -q dockerd && echo "rootless $path"
  done
}

# payloads: the unpacked versions, the latest first
payloads() {
  for path in "$PAYLOADS"/*/; do [ -d "$path" ] && [ ! -L "${path%/}" ] && path=${path%/} && printf '%s %s\n' "$(stat -c %Z "$path")" "${path##*/}"; done | sort -rn | cut -d ' ' -f 2-
}

# payloads_in_use: the versions of running programs; an executor keeps its version until it ends
payloads_in_use() { cat /proc/[0-9]*/cmdline | tr '\0' '\n' | sed -n "s|^$PAYLOADS/\([^/]*\)/.*|\1|p" | sort -u; }

# released: the versions that bootstrap.sh or a package has unpacked
released() { for path in "$PAYLOADS"/*/"$RELEASED"; do [ -f "$path" ] && path=${path%/*} && printf '%s\n' "${path##*/}"; done; }

# run_state: the record of a run that has not ended, and `alive` or `dead` for its process
run_state() {
  [ -f "$RUN" ] || return
  cat "$RUN"
  if flock -n -s 9; then echo dead; else echo alive; fi 9<"$RUN_LOCK"
}

# agent_flags: `NAME VALUE` for the flags of the running Mesos agent that make up its identity
agent_flags() {
  mesos_processes agent slave | head -n 1 | {
    read -r pid _ || return 0
    # Names of variables: MESOS_WORK_DIR.
    for file in environ cmdline; do tr '\n\0' ' \n' <"/proc/$pid/$file"; done | awk '
      { at = index($0, "="); name = substr($0, 1, at - 1); value = substr($0, at + 1) }
      sub(/^MESOS_/, "", name) { name = tolower(name); known = 1 }
      sub(/^--/, "", name) { known = 1 }
      known && name ~ /^(hostname|port|work_dir|attributes|resources)$/ { print name " " value }
      { known = 0 }'
  }
}

# system: all of these, as the member `plain`
system() { parts | member plain; }

parts() {
  part os text /etc/os-release
  part arch dpkg --print-architecture
  part kernel uname -r
  part glibc getconf GNU_LIBC_VERSION
  part init init
  part cgroups cgroups
  part hostname uname -n
  part addresses addresses
  part connection printf %s "${MESOSUP_SSH_CONNECTION-}"
  part cpus getconf _NPROCESSORS_ONLN
  part memory text /proc/meminfo
  part disks disks
  part mounts mounts
  part held held
  part left left
  part users users
  part listeners listeners
  part inputs inputs
  part dockers dockers
  part journal text "$JOURNAL"
  part cluster text "$CLUSTER"
  part payloads payloads
  part released released
  part in-use payloads_in_use
  part current readlink "$PAYLOADS/current"
  [ -e "$STARTED" ] && part is-started echo yes
  part run run_state
  part agent-flags agent_flags
  [ -z "$AGENT_LATEST" ] || part agent-id readlink "$AGENT_LATEST"
}
