# shellcheck shell=sh
# shellcheck disable=SC2154 # dir, output, error, escape: set by run.sh
# Reports what a run does, as a JSON object a line on descriptor 3.

# emit JSON: writes an event
emit() { printf '%s\n' "$1" >&3; }

# now: prints the milliseconds since 1970
now() { date +%s%3N; }

# json TEXT: prints it as the inside of a JSON string
json() { printf '%s' "$1" | sed -z -f "$escape" -e 's/\n/\\n/g'; }

# begin_item NUMBER: what follows belongs to this item of the plan
begin_item() { item=$1; emit "{\"event\":\"start\",\"item\":$1,\"at\":$(now)}"; }

# done_item NUMBER
done_item() { emit "{\"event\":\"done\",\"item\":$1,\"at\":$(now)}"; }

# waiting REASON
waiting() { emit "{\"event\":\"wait\",\"item\":$item,\"reason\":\"$(json "$1")\",\"at\":$(now)}"; }

# say LINE: into the run's log
say() { emit "{\"event\":\"log\",\"item\":$item,\"line\":\"$(json "$1")\"}"; }

# fail KIND MESSAGE REMEDY: ends the run
fail() {
  emit "{\"event\":\"failed\",\"item\":$item,\"failure\":\"$1\",\"message\":\"$(json "$2")\",\"remedy\":\"$(json "$3")\",\"at\":$(now)}"
  finish false
  exit 0
}

# logged COMMAND...: runs it with its output as log events and in $output; returns its exit code
logged() {
  code=$({ { "$@" 3>&- 4>&- 8>&- 9>&-; echo $? >&4; } 2>&1 |
    tee -a "$output" 4>&- |
    sed -u -f "$escape" -e "s/.*/{\"event\":\"log\",\"item\":$item,\"line\":\"&\"}/" >&3 4>&-; } 4>&1)
  return "$code"
}

# last_lines [COUNT]: prints the end of $output; five lines by default
last_lines() { tail -n "${1:-5}" "$output"; }

# full FILE: succeeds where a program wrote there that the disk is full
full() { grep -Eqi 'No space left on device|enough free space|Disk quota exceeded' "$@"; }

# no_space: fails, with the free space of the file systems
no_space() {
  fail disk "no space is left on the host: $(df -Ph / /usr /var /opt 2>/dev/null | awk 'NR > 1 && !($6 in seen) { seen[$6] = 1; printf "%s%s free in %s", sep, $4, $6; sep = ", " }')" 'Make room there, e.g. with "apt-get clean", and run the same command again.'
}

# broke WHAT: fails with what a command wrote to $error
broke() {
  if full "$error"; then no_space; fi
  fail command "$1: $(head -c 2000 "$error")" 'Mend that on the host, and run the same command again.'
}
