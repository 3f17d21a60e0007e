# shellcheck shell=sh
# shellcheck disable=SC2034 # ask_seconds: read by ask.sh; missing: read by edges.sh
# shellcheck disable=SC2154 # leader: set by edges.sh; error: set by run.sh
# Drains an agent through the leading master and scheduler, replaces it, and puts it back into service.
#   AGENT              `ADDRESS PORT` of this host's agent, or empty
#   SCHEDULERS         the schedulers, one `ADDRESS PORT` a line
#   API_AUTHORIZATION  the value of an HTTP header for the schedulers
#   MOVE_SECONDS       see move_tasks
#   AGENT_RETURNS      see places.ts

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

# agent_executors: prints the number of executors that have not ended, or nothing if the agent does not answer
agent_executors() {
  # Two words.
  # shellcheck disable=SC2086
  [ -z "$AGENT" ] || http GET /metrics/snapshot '' $AGENT | awk -v RS=',' -F : '
    $1 ~ /slave\/executors_(registering|running|terminating)"$/ { seen = 1; sum += $2 } END { if (seen) print sum + 0 }'
}

# to_scheduler METHOD PATH BODY: sends a request to the first scheduler that answers, which forwards it to the leader;
# sets $answer and $status, which are empty if none answers
to_scheduler() {
  answer=
  while read -r address port; do
    [ -n "$address" ] || continue
    ask_seconds=30
    answer=$(AUTHORIZATION=$API_AUTHORIZATION; http "$1" "$2" "$3" "$address" "$port")
    ask_seconds=2
    case $answer in 'HTTP/1.'?' '[1234]*) break ;; esac
  done <<END
$SCHEDULERS
END
  status=${answer#HTTP/1.? }
  status=${status%%[!0-9]*}
}

# field NAME: prints the value of a member of $answer, a JSON object, if it is a number or a list of texts
field() {
  printf '%s\n' "$answer" | sed -n -e 's/.*"'"$1"'":\([0-9][0-9]*\).*/\1/p' -e 's/.*"'"$1"'":\[\([^]]*\)\].*/\1/p' | tail -n 1
}

# agent_state: sets $drain to the master's state of the drain of the agent $id: active, deactivated, DRAINING or
# DRAINED; unknown if the master does not know the agent
agent_state() {
  to_leader GET "/slaves?slave_id=$id" ''
  own=${answer#*"\"id\":\"$id\",\"hostname\":"}
  if [ "$own" = "$answer" ]; then drain=unknown; return; fi
  own=${own%%'","hostname":'*}
  case $own in
    *'"state":"DRAINED"'*) drain=DRAINED ;;
    *'"state":"DRAINING"'*) drain=DRAINING ;;
    *'"deactivated":true'*) drain=deactivated ;;
    *) drain=active ;;
  esac
}

# call_for_agent CALL MEMBER: sends an operator's call about the agent $id to the leading master
call_for_agent() {
  to_leader POST /api/v1 "{\"type\":\"$1\",\"$2\":{\"agent_id\":{\"value\":\"$id\"}}}"
}

# need_leader: finds the leading master
need_leader() {
  wait_until master_elected 'a leading Mesos master' 'Start the masters, then run the same command again.'
}

# refused WHAT: fails with the answer of the master
refused() {
  fail drain "the master at $leader did not $1 the agent ($status): $(printf '%s\n' "$answer" | tail -n 1)" 'Check the agent with "mesosup node list", then run the same command again.'
}

# move_tasks: lets the scheduler replace the agent's tasks on other agents. Gives up when nothing has changed for
# MOVE_SECONDS, while replacements are starting for EDGE_SECONDS if that is longer, and never while tasks drain or are
# being killed.
move_tasks() {
  [ -n "$SCHEDULERS" ] || return 0
  seen=
  begun=$(date +%s)
  while :; do
    # Repeated each time: a scheduler forgets it with its leadership.
    to_scheduler POST "/v2/agents/$id/drain" '{}'
    case $status in
      200)
        moving=$(field moving)
        [ "$moving" != 0 ] || break
        ending=$(field ending)
        starting=$(field starting)
        apps=$(field waiting | tr -d '"' | sed 's/,/, /g')
        reason="the scheduler to move $moving tasks, of which $ending are ending${starting:+; $starting replacements are starting}${apps:+; no room yet for $apps}" ;;
      404) say 'this scheduler is too old to move tasks: they end with the drain'; break ;;
      *) ending=0 starting='' reason="a scheduler that answers${status:+ ($status)}" ;;
    esac
    patience=$MOVE_SECONDS
    # A large image, or a slow start. The drain would end the tasks before others are ready.
    [ "${starting:-0}" = 0 ] || [ "$EDGE_SECONDS" -le "$patience" ] || patience=$EDGE_SECONDS
    if [ "$reason" != "$seen" ]; then
      waiting "$reason"
      seen=$reason
      begun=$(date +%s)
    elif [ "$ending" = 0 ] && [ $(($(date +%s) - begun)) -ge "$patience" ]; then
      [ "$status" = 200 ] || fail drain 'no scheduler answers, so no task can be moved' 'Start the scheduler, then run the same command again.'
      say "gave up after $patience seconds without a change: $reason"
      break
    fi
    sleep 0.5
  done
}

# emptied: succeeds if the agent $id is drained and has no executor, else sets $missing
emptied() {
  executors=$(agent_executors)
  agent_state
  # Another master may lead now.
  if [ "$drain" = unknown ] && master_elected; then agent_state; fi
  case $drain:$executors in
    DRAINED:0) return 0 ;;
    *:) missing="the agent does not answer ($drain)" ;;
    *) missing="$executors executors are left ($drain)" ;;
  esac
  return 1
}

# empty_agent LATEST [returns]: takes the agent out of service. LATEST is the link to the agent's id. With `returns`, a
# mark lets the next run put it back if this one does not. Without it, the owner decides, and an earlier mark goes.
empty_agent() {
  id=$(readlink "$1")
  id=${id##*/}
  [ -n "$id" ] || return 0
  if [ -n "${2-}" ]; then printf '%s\n' "$id" >"$AGENT_RETURNS"; else rm -f "$AGENT_RETURNS"; fi
  need_leader
  agent_state
  case $drain in
    unknown) refused deactivate ;;
    active | deactivated)
      call_for_agent DEACTIVATE_AGENT deactivate_agent
      [ "$status" = 200 ] || [ "$status" = 202 ] || refused deactivate
      move_tasks
      need_leader
      call_for_agent DRAIN_AGENT drain_agent
      [ "$status" = 200 ] || [ "$status" = 202 ] || refused drain ;;
  esac
  wait_until emptied "the agent's executors to end" 'Find out why they do not end, then run the same command again.'
}

# unemployed: succeeds if the agent has no executor, else sets $missing
unemployed() {
  executors=$(agent_executors)
  [ "$executors" != 0 ] || return 0
  missing="${executors:-an unknown number of} executors are left"
  return 1
}

# released: succeeds if the scheduler gives the agent tasks again, else sets $missing. A release that knows no drains
# answers 404.
released() {
  to_scheduler DELETE "/v2/agents/$id/drain" '{}'
  case $status in 2?? | 404) return 0 ;; esac
  missing="none answers${status:+ as expected ($status)}"
  return 1
}

# fill_agent LATEST: puts the agent back into service. An agent that is reactivated while its drain still ends
# executors would drop new tasks.
fill_agent() {
  id=$(readlink "$1")
  id=${id##*/}
  [ -n "$id" ] || return 0
  need_leader
  agent_state
  case $drain in DRAIN*) wait_until unemployed "the agent's executors to end" 'Find out why they do not end, then run the same command again.' ;; esac
  # First, since an agent that only the master has put back into service would get no tasks.
  [ -z "$SCHEDULERS" ] || wait_until released 'a scheduler that gives the agent tasks again' 'Start the scheduler, then run the same command again.'
  if [ "$drain" != active ]; then
    need_leader
    call_for_agent REACTIVATE_AGENT reactivate_agent
    [ "$status" = 200 ] || [ "$status" = 202 ] || refused reactivate
  fi
  rm -f "$AGENT_RETURNS"
}
