# shellcheck shell=sh
# shellcheck disable=SC2034 # ask_seconds: read by ask in ask.sh
# Sends a request with a long timeout, and reports the result.
#   ANSWER_SECONDS  seconds to wait for an answer

# asked [-z] ADDRESS PORT: like ask_service, or with -z like ask, followed by a NUL, "asked", the exit code and the milliseconds; see splitAnswer
asked() {
  ask_seconds=$ANSWER_SECONDS
  began=$(date +%s%3N)
  if [ "$1" = -z ]; then
    shift
    ask "$@"
  else
    ask_service "$@"
  fi
  code=$?
  printf '\0asked %s %s' "$code" "$(($(date +%s%3N) - began))"
}
