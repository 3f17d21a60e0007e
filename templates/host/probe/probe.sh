# shellcheck shell=sh
# Probes a host without changing it. The answer is one line of JSON whose strings are outputs in base64; parseFacts
# turns it into facts. Needs coreutils, findutils, awk, bash (only for TCP), util-linux, and the programs of init and
# dpkg.
#   ASKED    the targets of the probe, as JSON
#   NEWLINE  the separator of lists

# member NAME: prints standard input as a member of the answer
member() { printf ',"%s":"' "$1"; base64 -w 0; printf '"'; }

# side_by_side COMMAND...: runs the commands concurrently, and prints their outputs one after another
side_by_side() {
  if [ $# -eq 1 ]; then
    "$1" </dev/null
    return
  fi
  "$1" </dev/null | {
    shift
    side_by_side "$@"
    cat
  }
}

# probe COMMAND...: prints the answer, with the members that these commands print
probe() {
  umask 077
  exec 2>/dev/null
  address=$(own_address "$HOST_ADDRESS")
  address=${address:-127.0.0.1}
  printf '{"format":1,"asked":%s,"began":"%s"' "$ASKED" "$(date +%s%N)"
  side_by_side "$@"
  printf ',"ended":"%s"}\n' "$(date +%s%N)"
}
