# shellcheck shell=sh
# shellcheck disable=SC2154 # error: set by run.sh
# Ends the executors of a stopped agent and their containers: with KillMode=process, executors outlive the agent.

# Tenths of a second in which executors may end after SIGTERM; Mesos gives them 5 seconds.
EXECUTOR_PATIENCE=200
# Tenths of a second in which containerd's processes may end by themselves.
SHIM_PATIENCE=100

# executors DIRECTORY: prints the processes whose sandbox is below the directory. Mesos names the sandbox in their
# environment; their parent processes depend on the agent's launcher.
executors() {
  grep -lsazF "MESOS_DIRECTORY=$1/" /proc/[0-9]*/environ | cut -d / -f 3
}

# end_processes WHAT SIGNAL PATIENCE COMMAND...: ends the processes that the command prints: by SIGNAL, unless it is
# empty, and by SIGKILL after PATIENCE tenths of a second; fails 5 seconds later
end_processes() {
  what=$1 first=$2 patience=$3
  shift 3
  turns=0
  while pids=$("$@"); [ -n "$pids" ]; do
    if [ "$turns" -ge $((patience + 50)) ]; then
      # Without quotes, echo puts the numbers into one line.
      # shellcheck disable=SC2086,SC2116
      fail tasks "$what do not end: $(echo $pids)" 'End these processes, then run the same command again.'
    fi
    if [ "$turns" -ge "$patience" ]; then signal=KILL
    elif [ "$turns" -eq 0 ]; then signal=$first
    else signal=; fi
    # A number a line.
    # shellcheck disable=SC2086
    [ -z "$signal" ] || kill -s "$signal" $pids 2>/dev/null
    turns=$((turns + 1))
    sleep 0.1
  done
}

# end_containers [FILTER]: removes the containers that docker ps lists with this filter; all containers without a filter
end_containers() {
  containers=$(timeout 60 docker ps -aq ${1:+--filter "$1"} 2>"$error") || {
    reason=$(cat "$error")
    say "Docker did not list its containers: ${reason:-no answer for 60 s}"
    return 0
  }
  # An id a line.
  # shellcheck disable=SC2086
  [ -z "$containers" ] || logged docker rm -f -v $containers || fail tasks "containers could not be removed: $(last_lines)" 'Remove them with "docker rm -f", then run the same command again.'
}

# end_tasks DIRECTORY CLUSTER: ends the tasks of a stopped agent; DIRECTORY is its work directory
end_tasks() {
  end_processes executors TERM "$EXECUTOR_PATIENCE" executors "$1"
  ! command -v docker >/dev/null || end_containers "label=mesosup.cluster=$2"
}

# end_engine NAME UNIT: removes all containers before the Docker engine is removed. Starts a stopped engine, since its
# containers may still run.
end_engine() {
  command -v docker >/dev/null || return 0
  timeout 60 docker ps -q >/dev/null 2>&1 || logged systemctl start "$2"
  end_containers
}

# shims: prints the processes by which containerd holds Docker's containers
shims() {
  # The kernel keeps 15 characters of a name.
  grep -lsxF containerd-shim /proc/[0-9]*/comm | cut -d / -f 3 | while read -r pid; do
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -e '-namespace moby '; then echo "$pid"; fi
  done
}

# end_shims: waits for these processes, and kills those that remain. A restarted containerd does not end them: a shim
# whose container ended while Docker stopped would run until the host restarts.
end_shims() {
  end_processes "processes of containerd" '' "$SHIM_PATIENCE" shims
}
