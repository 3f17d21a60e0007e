# shellcheck shell=sh
# Finds the processes of Mesos.

# mesos_processes ROLE...: prints `PID ROLE` for each running program mesos-ROLE. Leaves out the children of such programs.
mesos_processes() {
  # Other programs may have such a path among their arguments. The paths in /proc contain no blanks.
  # shellcheck disable=SC2013
  for path in $(grep -lsz "^\(.*/\)\{0,1\}\(lt-\)\{0,1\}mesos-[a-z]*$" /proc/[0-9]*/cmdline); do
    path=${path%/cmdline}
    program=$(tr '\0' '\n' <"$path/cmdline" | head -n 1)
    for role; do
      case ${program##*/} in
        "mesos-$role" | "lt-mesos-$role") echo "${path#/proc/} $role $(sed -n 's/^PPid:[^0-9]*//p' "$path/status")" ;;
      esac
    done
  done | awk '{ pid[NR] = $1; role[NR] = $2; parent[NR] = $3; found[$1] = 1 }
    END { for (i = 1; i <= NR; i++) if (!(parent[i] in found)) print pid[i] " " role[i] }' | sort -n
}
