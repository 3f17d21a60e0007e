/**
 * The command that starts every run on a host: it becomes root, reports this, and then reads the script. Its parts are
 * in `templates/host/login`.
 *
 * Nothing is sent before the host asks for it. The password is sent only after sudo's prompt, which contains a random
 * token and can't be mistaken for other output. The script is sent only after root's shell has answered with the token.
 *
 * By then the login shell has read the user's start-up files, which may have changed any setting. Therefore it only
 * replaces itself with /bin/sh, which starts in a new environment.
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
  /** One line that any login shell can run. Contains no secret. */
  readonly command: string;
  /** The line on standard error that reports that the login shell has started the user's part. */
  readonly begun: string;
  /** The line on both standard output and standard error that asks for the script. */
  readonly ready: string;
  /** sudo's password prompt. */
  readonly prompt: string;
  /** The line on standard error that reports that sudo is missing. */
  readonly noSudo: string;
  /** The bytes of the script. */
  readonly script: Buffer;
}

/** @throws TypeError for a script with a NUL byte, which a shell can't read */
export function launch(login: LoginScripts, script: string): Launch {
  if (script.includes('\0')) throw new TypeError('a script must not contain a NUL byte');
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

/** Each line of the text is a complete command or a comment. csh allows no line end within quotes. */
function oneLine(text: string, before: readonly string[] = []): string {
  const lines = text.split('\n').map((line) => line.trim());
  return [...before, ...lines.filter((line) => line !== '' && !line.startsWith('#'))].join('; ');
}
