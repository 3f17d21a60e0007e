# shellcheck shell=sh
# shellcheck disable=SC2154 # dir, output, error, escape: set by run.sh
# Reports the progress of a run on descriptor 3, one JSON object a line.

# emit JSON: writes an event
emit() { printf '%s\n' "$1" >&3; }

# now: prints the milliseconds since 1970
now() { date +%s%3N; }

# json TEXT: prints the text escaped for use inside a JSON string
json() { printf '%s' "$1" | sed -z -f "$escape" -e 's/\n/\\n/g'; }

# begin_item NUMBER: starts an item of the plan; later events belong to it
begin_item() { item=$1; emit "{\"event\":\"start\",\"item\":$1,\"at\":$(now)}"; }

# done_item NUMBER
done_item() { emit "{\"event\":\"done\",\"item\":$1,\"at\":$(now)}"; }

# waiting REASON
waiting() { emit "{\"event\":\"wait\",\"item\":$item,\"reason\":\"$(json "$1")\",\"at\":$(now)}"; }

# say LINE: writes to the run's log
say() { emit "{\"event\":\"log\",\"item\":$item,\"line\":\"$(json "$1")\"}"; }

# fail KIND MESSAGE REMEDY: reports the failure and ends the run
fail() {
  emit "{\"event\":\"failed\",\"item\":$item,\"failure\":\"$1\",\"message\":\"$(json "$2")\",\"remedy\":\"$(json "$3")\",\"at\":$(now)}"
  finish false
  exit 0
}

# logged COMMAND...: runs the command, with its output in log events and in $output; returns its exit code
logged() {
  code=$({ { "$@" 3>&- 4>&- 8>&- 9>&-; echo $? >&4; } 2>&1 |
    tee -a "$output" 4>&- |
    sed -u -f "$escape" -e "s/.*/{\"event\":\"log\",\"item\":$item,\"line\":\"&\"}/" >&3 4>&-; } 4>&1)
  return "$code"
}

# last_lines [COUNT]: prints the last lines of $output, five by default
last_lines() { tail -n "${1:-5}" "$output"; }

# full FILE: succeeds if the file, the output of a program, says that the disk is full
full() { grep -Eqi 'No space left on device|enough free space|Disk quota exceeded' "$@"; }

# no_space: fails, with the free space of the file systems
no_space() {
  fail disk "no space is left on the host: $(df -Ph / /usr /var /opt 2>/dev/null | awk 'NR > 1 && !($6 in seen) { seen[$6] = 1; printf "%s%s free in %s", sep, $4, $6; sep = ", " }')" 'Free disk space there, for example with "apt-get clean", then run the same command again.'
}

# broke WHAT: fails with the error output of a command, $error
broke() {
  if full "$error"; then no_space; fi
  fail command "$1: $(head -c 2000 "$error")" 'Fix this on the host, then run the same command again.'
}
