# shellcheck shell=sh
# shellcheck disable=SC2034 # ask_seconds: read by ask in ask.sh
# Sends a request with a long timeout, and reports the result.
#   ANSWER_SECONDS  seconds to wait for an answer

# asked ADDRESS PORT: like ask, followed by a NUL, "asked", the exit code and the milliseconds; see splitAnswer
asked() {
  ask_seconds=$ANSWER_SECONDS
  began=$(date +%s%3N)
  ask "$@"
  code=$?
  printf '\0asked %s %s' "$code" "$(($(date +%s%3N) - began))"
}
