/** The environment of root's scripts, as printed by `env | sort`. Written out, so that tests detect a change. */
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
 * A run's script that writes its environment into the file of the run's events, without the variable that busybox sh and
 * bash add.
 */
export const TELLS_ENVIRONMENT =
  'dir=$(dirname "$0"); echo $$ >"$dir/pid"; env | grep -v ^SHLVL= | sort >"$dir/events.ndjson"; sleep 0.2';
