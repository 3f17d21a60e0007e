#!/bin/sh
# Written by mesosup: what Mesos knows as the Docker executor.
# The link is followed once, so that an executor keeps its version for life while others are installed beside it.
executor=$(readlink -f <%= it.sh(it.executor) %>) && [ -x "$executor" ] || {
  echo <%= it.sh(`${it.executor} is missing: run mesosup install again`) %> >&2
  exit 2
}
exec "$executor" "$@"
