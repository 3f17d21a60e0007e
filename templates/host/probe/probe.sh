# shellcheck shell=sh
# Reads a host. Nothing is changed. The answer is one line of JSON, whose strings are outputs in base64; parseFacts makes
# facts of it. Needs coreutils, findutils, awk, bash (for TCP alone), util-linux, and what init and dpkg bring.
#   ASKED    what is asked for, as JSON
#   NEWLINE  what is between the items of a list

# member NAME: prints standard input as a member of the answer
member() { printf ',"%s":"' "$1"; base64 -w 0; printf '"'; }

# side_by_side COMMAND...: runs them at once, since some take long, and prints their outputs one after the other
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

# probe COMMAND...: prints the answer, with the members that these functions print
probe() {
  umask 077
  exec 2>/dev/null
  address=$(own_address "$HOST_ADDRESS")
  address=${address:-127.0.0.1}
  printf '{"format":1,"asked":%s,"began":"%s"' "$ASKED" "$(date +%s%N)"
  side_by_side "$@"
  printf ',"ended":"%s"}\n' "$(date +%s%N)"
}
