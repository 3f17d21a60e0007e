#!/bin/sh
# Runs shellcheck on each shell file of the project. test/contract/install-scripts.test.ts also checks the files of
# templates/host as they are sent to hosts.
set -eu
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || {
  echo 'shellcheck is not installed, so the shell files were not checked. Install it with: apt install shellcheck' >&2
  exit 1
}
exec shellcheck --external-sources --check-sourced \
  .ci/run \
  bin/bootstrap.sh \
  bin/check-shell.sh \
  bin/mesosup \
  bin/release/postrm.sh \
  templates/executor/docker.sh \
  templates/host/*.sh \
  templates/host/*/*.sh \
  test/lab/mesos-package/mesos-init-wrapper
