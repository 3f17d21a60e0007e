/** The environment of root's scripts, as `env | sort` prints it: literally, so that a change of it is seen. */
export const ROOT_ENVIRONMENT = [
  'HOME=/root',
  'LANG=C',
  'LC_ALL=C',
  'LOGNAME=root',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'PWD=/',
  'SHELL=/bin/sh',
  'USER=root',
] as const;

/**
 * A run's script that leaves its environment where the run's events are read from, without the variable that busybox sh
 * and bash add by themselves.
 */
export const TELLS_ENVIRONMENT =
  'dir=$(dirname "$0"); echo $$ >"$dir/pid"; env | grep -v ^SHLVL= | sort >"$dir/events.ndjson"; sleep 0.2';
