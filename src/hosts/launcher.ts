/**
 * The one command a host is asked to run, whatever the script: it becomes root, reports that, and then reads the
 * script. Its parts are `templates/host/login`.
 *
 * Nothing is sent before the host asks for it: the password only after sudo's own prompt, which holds a random token
 * and so can't be mistaken, and the script only after root's shell has answered with the same token.
 *
 * The login shell has read the user's start-up files by then, and they may have changed anything. So it does one
 * thing: it becomes /bin/sh, which begins again in a new environment.
 */

import { randomBytes } from 'node:crypto';
import { assignments, quote } from './quote.ts';
import { SYSTEM_PATH } from './root-environment.ts';

/** The parts of the command: the texts of `templates/host/login`. */
export interface LoginScripts {
  readonly afterLogin: string;
  readonly asUser: string;
  readonly becomePlain: string;
  readonly asRoot: string;
}

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

/** @throws TypeError for a script with a NUL byte, which no shell can hold */
export function launch(login: LoginScripts, script: string): Launch {
  if (script.includes('\0')) throw new TypeError('a script can hold no NUL byte');
  const token = `mesosup-${randomBytes(12).toString('hex')}`;
  const bytes = Buffer.from(script);
  const names = {
    begun: `${token} begun`,
    ready: `${token} ready`,
    prompt: `${token} password: `,
    noSudo: `${token} no sudo`,
  };
  const path = assignments({ SYSTEM_PATH });
  const root = [oneLine(login.becomePlain, path), oneLine(login.asRoot), String(bytes.length), names.ready];
  const user = [oneLine(login.asUser), 'sh', ...root, names.begun, names.prompt, names.noSudo];
  const words = ['/bin/sh', '-c', oneLine(login.afterLogin, path), 'sh', ...user];
  return { ...names, command: `exec ${words.map(quote).join(' ')}`, script: bytes };
}

/** Each line of the text is a whole command, or a comment. Login shells such as csh take no line end within quotes. */
function oneLine(text: string, before: readonly string[] = []): string {
  const lines = text.split('\n').map((line) => line.trim());
  return [...before, ...lines.filter((line) => line !== '' && !line.startsWith('#'))].join('; ');
}
