/** The environment that root's scripts run in, wherever they are started from (pure). */

/** Where programs of the system are. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The beginning of a shell command that runs the rest in this environment and no other: what a login, sudo, systemd
 * or a start-up file exported (PATH, LANG, BASH_ENV, SSH_*, functions) does not reach it. `HOME` must be root's.
 */
export const IN_ROOT_ENVIRONMENT = `/usr/bin/env -i HOME="$HOME" USER=root LOGNAME=root SHELL=/bin/sh PATH=${SYSTEM_PATH} LC_ALL=C LANG=C`;

/**
 * In the environment of scripts that a host is sent, beside the above: SSH_CONNECTION as sshd set it, `client port server
 * port`, where `server` is the address of the host's own that the connection came to. Empty without SSH.
 */
export const CONNECTION_VARIABLE = 'MESOSUP_SSH_CONNECTION';
