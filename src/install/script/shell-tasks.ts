/** The part of an apply script that ends what an agent leaves running: its executors and their containers. */

/** Tenths of a second for executors to end by themselves; Mesos gives them 5 seconds. */
const PATIENCE = 200;

/**
 * An executor is told by its environment, in which Mesos names the sandbox, since where its process hangs depends on
 * the agent's launcher. An agent's `KillMode=process` lets executors outlive it.
 */
export const TASKS = `# executors DIRECTORY: processes with a sandbox below it
executors() {
  grep -lsazF "MESOS_DIRECTORY=$1/" /proc/[0-9]*/environ | cut -d / -f 3
}
# end_executors DIRECTORY
end_executors() {
  turns=0
  while pids=$(executors "$1"); [ -n "$pids" ]; do
    case $turns in
      0) signal=TERM ;;
      *) if [ "$turns" -ge ${PATIENCE} ]; then signal=KILL; else signal=; fi ;;
    esac
    if [ "$turns" -ge ${PATIENCE + 50} ]; then
      fail tasks "executors do not end: $(echo $pids)" 'End these processes, and run the same command again.'
    fi
    # Numbers, one a word.
    # shellcheck disable=SC2086
    [ -z "$signal" ] || kill -s "$signal" $pids 2>/dev/null
    turns=$((turns + 1))
    sleep 0.1
  done
}
# end_containers [FILTER]: removes those that docker ps finds with it; all without one
end_containers() {
  containers=$(docker ps -aq \${1:+--filter "$1"} 2>"$error") || { say "Docker tells nothing of its containers: $(cat "$error")"; return 0; }
  # Ids, one a word.
  # shellcheck disable=SC2086
  [ -z "$containers" ] || logged docker rm -f -v $containers || fail tasks "containers could not be removed: $(said)" 'Remove them with "docker rm -f", and run the same command again.'
}
# end_tasks DIRECTORY CLUSTER: of an agent that has stopped
end_tasks() {
  end_executors "$1"
  ! command -v docker >/dev/null || end_containers "label=mesosup.cluster=$2"
}
# end_engine NAME UNIT: an engine that goes takes its containers along; one that is down may have left some running
end_engine() {
  command -v docker >/dev/null || return 0
  docker ps -q >/dev/null 2>&1 || logged systemctl start "$2"
  end_containers
}
`;
