/** Finds out why a user could not become root, from the output of the login shell or of sudo in the C locale. */

import { HostError } from './host.ts';
import { plainLines } from './plain-lines.ts';

export type RootRefusal =
  | { readonly kind: 'no-sudo' | 'no-password' | 'wrong-password' }
  /** The login shell did not start the command in time. */
  | { readonly kind: 'login-silent'; readonly seconds: number; readonly output: string }
  /** The login shell ended without starting the command. */
  | { readonly kind: 'login-ended'; readonly code: number | null; readonly output: string }
  /** The command was started, but neither root's shell nor sudo's prompt appeared in time. */
  | { readonly kind: 'silent'; readonly seconds: number; readonly output: string }
  /** The command was started, and ended before root's shell answered. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly output: string };

interface Who {
  readonly host: string;
  readonly user: string;
  /** A command line with which a person can run a command on the host. */
  readonly debugCommand: (command: string) => string;
}

const START_UP_FILES = '~/.bashrc, ~/.profile, ~/.zshenv, ~/.config/fish/config.fish';

const NOPASSWD = 'a line "USER ALL=(ALL) NOPASSWD: ALL" in a file in /etc/sudoers.d';

/** The patterns match the messages of sudo 1.8 to 1.9. */
const SUDO_ERRORS: readonly (readonly [RegExp, string, string])[] = [
  [
    /is not in the sudoers file|is not allowed to (?:execute|run sudo)|may not run sudo/,
    'sudo does not allow USER to become root',
    `Log in as another user, or allow USER to run all commands with sudo: ${NOPASSWD}, or membership in the group sudo.`,
  ],
  [
    /must have a tty/,
    'sudo requires a terminal (its option requiretty)',
    'Add "Defaults:USER !requiretty" to a file in /etc/sudoers.d.',
  ],
  [
    /(?:incorrect password attempt|no password was provided|[Aa]uthentication failure|a password is required)/,
    'sudo did not accept the password of USER',
    'Enter the right sudo password of USER.',
  ],
  [
    /account (?:is locked|has expired|validation failure)|Account or password is expired|account is not available/,
    'the account USER is locked or expired',
    'Unlock the account on the host, or log in as another user.',
  ],
];

export function rootError(who: Who, why: RootRefusal): HostError {
  const withUser = (text: string) => text.replaceAll('USER', who.user);
  const error = (message: string, remedy: string, failure: 'root' | 'login' = 'root') =>
    new HostError(who.host, failure, `${who.host}: ${withUser(message)}`, withUser(remedy));
  const checkSudo = `Run this to see the cause: ${who.debugCommand('sudo true')}`;
  switch (why.kind) {
    case 'login-silent':
      return error(
        `the login shell of USER did not run the command within ${why.seconds} s${quoted(why.output)}`,
        `Its start-up files (${START_UP_FILES}) may wait for input or start another shell. Run this to see the cause: ${who.debugCommand('true')}`,
        'login',
      );
    case 'login-ended':
      return error(
        `the login shell of USER ended with code ${why.code} before it ran the command${quoted(why.output)}`,
        `Its start-up files (${START_UP_FILES}) may exit the shell, or USER is not allowed to run commands (a shell such as nologin, or ForceCommand in sshd_config). Run this to see the cause: ${who.debugCommand('true')}`,
        'login',
      );
    case 'no-sudo':
      return error(
        'USER is not root, and sudo is not installed',
        'Log in as root, or install sudo on the host.',
      );
    case 'no-password':
      return error(
        'sudo asks for the password of USER, and none is available',
        `Pass the sudo password of USER (--sudo-password-file), or allow sudo without a password: ${NOPASSWD}.`,
      );
    case 'wrong-password':
      return error(
        'the sudo password of USER is wrong (tried once)',
        'Enter the right sudo password of USER.',
      );
    case 'silent':
      if (who.user === 'root') {
        return error(
          `no shell started within ${why.seconds} s${quoted(why.output)}`,
          `The host may be overloaded. Run this to see the cause: ${who.debugCommand('true')}`,
        );
      }
      return error(
        `sudo did not answer within ${why.seconds} s${quoted(why.output)}`,
        `A directory service or a name lookup may be slow. ${checkSudo}`,
      );
    case 'ended': {
      for (const [pattern, message, remedy] of SUDO_ERRORS)
        if (pattern.test(why.output)) return error(message, remedy);
      return error(
        `USER could not become root: the command ended with code ${why.code}${quoted(why.output)}`,
        checkSudo,
      );
    }
  }
}

/** The last lines of the output. */
function quoted(output: string): string {
  const text = plainLines(output).slice(-3).join(' / ').slice(-400);
  return text === '' ? '' : `; its output: ${text}`;
}
