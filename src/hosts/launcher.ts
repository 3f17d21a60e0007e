/**
 * The one command a host is asked to run, whatever the script: it becomes root, reports that, and then reads the
 * script.
 *
 * Nothing is sent before the host asks for it: the password only after sudo's own prompt, which holds a random token
 * and so can't be mistaken, and the script only after root's shell has answered with the same token. A script is
 * counted before it runs, so half of one never does.
 *
 * The login shell has read the user's start-up files by then, and they may have changed anything. So it does one
 * thing: it becomes /bin/sh, which begins again in a new environment. Programs are named by their absolute paths
 * until then, since /bin/sh may be a bash that takes functions from the environment.
 */

import { randomBytes } from 'node:crypto';
import { quote } from './quote.ts';
import { CONNECTION_VARIABLE, IN_ROOT_ENVIRONMENT, SYSTEM_PATH } from './root-environment.ts';

export interface Launch {
  /** One line for any login shell; it holds no secret. */
  readonly command: string;
  /** The line on standard error by which the user's part reports that the login shell has started it. */
  readonly begun: string;
  /** The line by which standard output and standard error each begin once the script can be sent. */
  readonly ready: string;
  /** What sudo asks with. */
  readonly prompt: string;
  /** Said on standard error, as a line, where there is no sudo. */
  readonly noSudo: string;
  /** The script as it is sent. */
  readonly script: Buffer;
}

/** Root's part: `$1` is the script's size in bytes, `$2` the line that says ready. The x keeps trailing newlines. */
const AS_ROOT = [
  'umask 022',
  'echo "$2" >&2',
  'echo "$2"',
  's=$(head -c "$1" && echo x)',
  `[ "\${#s}" -eq "$(($1 + 1))" ] || exit 1`,
  `set -- "\${s%x}"`,
  'unset s',
  'eval "set --; $1"',
].join('; ');

/**
 * Runs root's part, `$1` with its arguments `$2` and `$3`, in root's environment, to which `cd` would add. `$4` is sshd's
 * word on the connection, under a name by which bash doesn't take itself to be started by sshd.
 */
const BECOME_PLAIN = `cd /; HOME=~root; exec ${IN_ROOT_ENVIRONMENT} ${CONNECTION_VARIABLE}="$4" /bin/sh -c "$1" sh "$2" "$3"`;

/**
 * The login user's part: `$1` becomes plain, `$2` to `$4` are root's part with its arguments, `$5` is the line that
 * says begun, `$6` the prompt, `$7` the lack of a sudo.
 */
const AS_USER = [
  'echo "$5" >&2',
  'if [ "$(id -u)" -eq 0 ]; then exec /bin/sh -c "$1" sh "$2" "$3" "$4" "$SSH_CONNECTION"; fi',
  'command -v sudo >/dev/null 2>&1 || { echo "$7" >&2; exit 127; }',
  'exec sudo -H -S -p "$6" -- /bin/sh -c "$1" sh "$2" "$3" "$4" "$SSH_CONNECTION"',
].join('; ');

/** What the login shell starts: the user's part, `$1` with its arguments, in an environment with little more than PATH. */
const AFTER_LOGIN = `exec /usr/bin/env -i HOME="$HOME" PATH="${SYSTEM_PATH}\${PATH:+:$PATH}" SSH_CONNECTION="\${SSH_CONNECTION-}" LC_ALL=C LANG=C /bin/sh -c "$@"`;

/** @throws TypeError for a script with a NUL byte, which no shell can hold */
export function launch(script: string): Launch {
  if (script.includes('\0')) throw new TypeError('a script can hold no NUL byte');
  const token = `mesosup-${randomBytes(12).toString('hex')}`;
  const bytes = Buffer.from(script);
  const names = {
    begun: `${token} begun`,
    ready: `${token} ready`,
    prompt: `${token} password: `,
    noSudo: `${token} no sudo`,
  };
  const root = [BECOME_PLAIN, AS_ROOT, String(bytes.length), names.ready];
  const user = [AS_USER, 'sh', ...root, names.begun, names.prompt, names.noSudo];
  const words = ['/bin/sh', '-c', AFTER_LOGIN, 'sh', ...user];
  return { ...names, command: `exec ${words.map(quote).join(' ')}`, script: bytes };
}
