# shellcheck shell=sh
# shellcheck disable=SC2034 # ask_seconds: read by ask.sh; missing: read by edges.sh
# shellcheck disable=SC2154 # leader: set by edges.sh; error: set by run.sh
# Drains an agent through the leading master, and replaces it.
#   AGENT  `ADDRESS PORT` of this host's agent, or empty

# agent_tasks: prints the number of tasks that have not ended, or nothing if the agent does not answer
agent_tasks() {
  # Two words.
  # shellcheck disable=SC2086
  [ -z "$AGENT" ] || http GET /metrics/snapshot '' $AGENT | awk -v RS=',' -F : '
    $1 ~ /slave\/tasks_(staging|starting|running|killing)"$/ { seen = 1; sum += $2 } END { if (seen) print sum + 0 }'
}

# to_leader METHOD PATH BODY: sends a request to the leading master; sets $answer and $status
to_leader() {
  # A call that changes something is made only once, so a slow master gets more time.
  ask_seconds=30
  answer=$(http "$1" "$2" "$3" "${leader%:*}" "${leader##*:}")
  ask_seconds=2
  status=${answer#HTTP/1.? }
  status=${status%%[!0-9]*}
}

# drained: succeeds if the agent $id has no tasks or is drained, else sets $missing
drained() {
  tasks=$(agent_tasks)
  [ "$tasks" != 0 ] || return 0
  to_leader GET "/slaves?slave_id=$id" ''
  # Cut out the object of this agent: an agent's object begins with its id and host name.
  own=${answer#*"\"id\":\"$id\",\"hostname\":"}
  case ${own%%'","hostname":'*} in *'"state":"DRAINED"'*) return 0 ;; esac
  if [ -n "$tasks" ]; then missing="$tasks still running"; else missing='their number is unknown'; fi
  return 1
}

# replace_agent NAME UNIT LATEST: drains and stops the agent, and removes its id, so that it registers as a new agent.
# LATEST is the link to the agent's id.
replace_agent() {
  id=$(readlink "$3")
  id=${id##*/}
  if [ -n "$id" ]; then
    tasks=$(agent_tasks)
    if master_elected; then
      to_leader POST /api/v1 "{\"type\":\"DRAIN_AGENT\",\"drain_agent\":{\"agent_id\":{\"value\":\"$id\"}}}"
      case $status in
        200 | 202)
          say "draining agent $id"
          [ -z "$tasks" ] || wait_until drained "the agent's tasks to end" 'Find out why they do not end, then run the same command again.' ;;
        *)
          # An agent that the master no longer knows has no tasks to lose.
          case $status:$answer in
            400:*nknown*agent* | 404:*) ;;
            *) [ "$tasks" = 0 ] || fail drain "the master at $leader did not drain the agent ($status): $(printf '%s\n' "$answer" | tail -n 1)" 'End its tasks or drain it manually, then run the same command again.' ;;
          esac ;;
      esac
    elif [ "$tasks" != 0 ]; then
      fail drain "the agent can't be drained, since no master leads: $missing" 'Start the masters, then run the same command again.'
    fi
  fi
  stop_service "$1" "$2"
  rm -f -- "$3" 2>"$error" || broke "$3 could not be removed"
  if [ -n "$id" ] && [ -n "$leader" ]; then
    to_leader POST /api/v1 "{\"type\":\"MARK_AGENT_GONE\",\"mark_agent_gone\":{\"agent_id\":{\"value\":\"$id\"}}}"
    say "agent $id was marked gone ($status)"
  fi
}
