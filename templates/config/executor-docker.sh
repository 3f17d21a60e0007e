#!/bin/sh
# Written by mesosup. Mesos starts this file as the Docker executor.
# Resolves the link once, so that a running executor keeps its version when another version is installed.
executor=$(readlink -f <%= it.sh(it.executor) %>) && [ -x "$executor" ] || {
  echo <%= it.sh(`${it.executor} is missing: run mesosup install again`) %> >&2
  exit 2
}
# Set here, so that no task's environment can name other files.
MESOSUP_EXECUTOR_CONFIG=/etc/mesosup/executor.json
MESOSUP_EXECUTOR_STATE=/var/lib/mesosup/executor
MESOSUP_EXECUTOR_KEY_FILE=/etc/mesosup/executor-key
MESOSUP_SCHEDULERS_FILE=<%= it.sh(it.schedulers) %>
export MESOSUP_EXECUTOR_CONFIG MESOSUP_EXECUTOR_STATE MESOSUP_EXECUTOR_KEY_FILE MESOSUP_SCHEDULERS_FILE
exec "$executor" "$@"
