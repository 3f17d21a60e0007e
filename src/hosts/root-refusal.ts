/** Why a user could not become root, from what the login shell or sudo wrote; sudo's texts are in the C locale. */

import { HostError } from './host.ts';
import { plainLines } from './plain-lines.ts';

export type RootRefusal =
  | { readonly kind: 'no-sudo' | 'no-password' | 'wrong-password' }
  /** The login shell did not start the command in time. */
  | { readonly kind: 'login-silent'; readonly seconds: number; readonly said: string }
  /** The login shell ended without starting the command. */
  | { readonly kind: 'login-ended'; readonly code: number | null; readonly said: string }
  /** The command was started, and neither root's shell nor a prompt of ours came in time. */
  | { readonly kind: 'silent'; readonly seconds: number; readonly said: string }
  /** The command was started, and ended before root's shell answered. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly said: string };

interface Who {
  readonly host: string;
  readonly user: string;
  /** The command line by which a person sees what a command does there. */
  readonly look: (command: string) => string;
}

const START_UP_FILES = '~/.bashrc, ~/.profile, ~/.zshenv, ~/.config/fish/config.fish';

const NOPASSWD = 'a line "USER ALL=(ALL) NOPASSWD: ALL" in a file of /etc/sudoers.d';

/** The texts are sudo's own, from its message catalogue and of its versions 1.8 to 1.9. */
const SAID: readonly (readonly [RegExp, string, string])[] = [
  [
    /is not in the sudoers file|is not allowed to (?:execute|run sudo)|may not run sudo/,
    'sudo does not let USER become root',
    `Log in as another user, or let USER use sudo for everything: ${NOPASSWD}, or membership in the group sudo.`,
  ],
  [
    /must have a tty/,
    'sudo wants a terminal there (its option requiretty)',
    'Add "Defaults:USER !requiretty" to a file of /etc/sudoers.d.',
  ],
  [
    /(?:incorrect password attempt|no password was provided|[Aa]uthentication failure|a password is required)/,
    'sudo did not accept the password of USER',
    'Give the right sudo password of USER.',
  ],
  [
    /account (?:is locked|has expired|validation failure)|Account or password is expired|account is not available/,
    'the account USER is locked or expired',
    'Unlock it there, or log in as another user.',
  ],
];

export function refusal(who: Who, why: RootRefusal): HostError {
  const named = (text: string) => text.replaceAll('USER', who.user);
  const error = (message: string, remedy: string, failure: 'root' | 'login' = 'root') =>
    new HostError(who.host, failure, `${who.host}: ${named(message)}`, named(remedy));
  const lookAtSudo = `Run this to see why: ${who.look('sudo true')}`;
  switch (why.kind) {
    case 'login-silent':
      return error(
        `the login shell of USER did not run the command within ${why.seconds} s${quoted(why.said)}`,
        `Its start-up files (${START_UP_FILES}) may wait for something or start another shell. Run this to see: ${who.look('true')}`,
        'login',
      );
    case 'login-ended':
      return error(
        `the login shell of USER ended with code ${why.code} before it ran the command${quoted(why.said)}`,
        `Its start-up files (${START_UP_FILES}) may end it, or USER may not run commands there (a shell like nologin, ForceCommand in sshd_config). Run this to see: ${who.look('true')}`,
        'login',
      );
    case 'no-sudo':
      return error('USER is not root, and there is no sudo', 'Log in as root, or install sudo there.');
    case 'no-password':
      return error(
        'sudo asks for the password of USER, and none was given',
        `Give the sudo password of USER (--sudo-password-file), or let USER do without: ${NOPASSWD}.`,
      );
    case 'wrong-password':
      return error(
        'the sudo password of USER is wrong; it was tried once',
        'Give the right sudo password of USER.',
      );
    case 'silent':
      return error(
        `sudo did not answer within ${why.seconds} s${quoted(why.said)}`,
        `A directory service or name lookup may be slow. ${lookAtSudo}`,
      );
    case 'ended': {
      for (const [pattern, message, remedy] of SAID)
        if (pattern.test(why.said)) return error(message, remedy);
      return error(
        `USER could not become root: the command ended with code ${why.code}${quoted(why.said)}`,
        lookAtSudo,
      );
    }
  }
}

/** The last lines of what was written. */
function quoted(said: string): string {
  const text = plainLines(said).slice(-3).join(' / ').slice(-400);
  return text === '' ? '' : `; it wrote: ${text}`;
}
