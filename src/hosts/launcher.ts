/**
 * The one command a host is asked to run, whatever the script: it becomes root, says so, and then reads the script.
 *
 * Nothing is sent before the host asks for it: the password only after sudo's own prompt, which holds a random token
 * and so can't be mistaken, and the script only after root's shell has answered with the same token. A script is
 * counted before it runs, so half of one never does.
 */

import { randomBytes } from 'node:crypto';
import { quote } from './quote.ts';

export interface Launch {
  /** One line for any login shell; it holds no secret. */
  readonly command: string;
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
  'LC_ALL=C LANG=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'export LC_ALL LANG PATH',
  'cd /',
  'echo "$2" >&2',
  'echo "$2"',
  's=$(head -c "$1" && echo x)',
  `[ "\${#s}" -eq "$(($1 + 1))" ] || exit 1`,
  `set -- "\${s%x}"`,
  'unset s',
  'eval "set --; $1"',
].join('; ');

/** The login user's part: `$1` is root's, `$2` and `$3` its arguments, `$4` the prompt, `$5` the lack of a sudo. */
const AS_USER = [
  'LC_ALL=C PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin',
  'export LC_ALL PATH',
  'if [ "$(id -u)" -eq 0 ]; then exec sh -c "$1" sh "$2" "$3"; fi',
  'command -v sudo >/dev/null 2>&1 || { echo "$5" >&2; exit 127; }',
  'exec sudo -H -S -p "$4" -- sh -c "$1" sh "$2" "$3"',
].join('; ');

/** @throws TypeError for a script with a NUL byte, which no shell can hold */
export function launch(script: string): Launch {
  if (script.includes('\0')) throw new TypeError('a script can hold no NUL byte');
  const token = `mesosup-${randomBytes(12).toString('hex')}`;
  const bytes = Buffer.from(script);
  const names = { ready: `${token} ready`, prompt: `${token} password: `, noSudo: `${token} no sudo` };
  const words = [
    'sh',
    '-c',
    AS_USER,
    'sh',
    AS_ROOT,
    String(bytes.length),
    names.ready,
    names.prompt,
    names.noSudo,
  ];
  return { ...names, command: `exec ${words.map(quote).join(' ')}`, script: bytes };
}
