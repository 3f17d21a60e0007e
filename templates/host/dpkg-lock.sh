# shellcheck shell=sh
# Finds the program that holds a lock of dpkg or apt.
#   DPKG_LOCKS  the lock files, one path a line

# held: prints the holder of a lock as `program (pid)`, or nothing if no lock is held
held() {
  # These paths contain no blanks.
  # shellcheck disable=SC2086
  inodes=$(stat -c %i $DPKG_LOCKS 2>/dev/null | tr '\n' ' ')
  pids=$(awk -v inodes="$inodes" 'BEGIN { n = split(inodes, l, " "); for (i = 1; i <= n; i++) want[l[i]] = 1 }
    $2 == "POSIX" { split($6, p, ":"); if (p[3] in want) print $5 }' /proc/locks 2>/dev/null)
  for pid in $pids; do
    # An inode number is unique within one file system only.
    for fd in /proc/"$pid"/fd/*; do
      file=$(readlink "$fd" 2>/dev/null) || continue
      for lock in $DPKG_LOCKS; do
        [ "$file" = "$lock" ] || continue
        { read -r program <"/proc/$pid/comm"; } 2>/dev/null || program=a-process
        printf '%s (%s)\n' "$program" "$pid"
        return
      done
    done
  done
}
