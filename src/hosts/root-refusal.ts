/** Why a user could not become root, from what sudo or the login shell said in the C locale. */

import { HostError } from './host.ts';

export type RootRefusal =
  | { readonly kind: 'no-sudo' | 'no-password' | 'wrong-password' }
  /** Neither root's shell nor a prompt of ours came in time. */
  | { readonly kind: 'silent'; readonly said: string }
  /** The command ended before root's shell answered. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly said: string };

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

export function refusal(who: { readonly host: string; readonly user: string }, why: RootRefusal): HostError {
  const error = (message: string, mend: string) => {
    const named = (text: string) => text.replaceAll('USER', who.user);
    return new HostError(who.host, 'root', `${who.host}: ${named(message)}`, named(mend));
  };
  switch (why.kind) {
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
        `sudo does not answer${quoted(why.said)}`,
        'Look with ssh whether "sudo true" works there; a directory service or name lookup may be slow.',
      );
    case 'ended': {
      for (const [pattern, message, mend] of SAID) if (pattern.test(why.said)) return error(message, mend);
      return error(
        `no root shell was to be had: the login ended with code ${why.code}${quoted(why.said)}`,
        'Look with ssh whether "sudo true" works there.',
      );
    }
  }
}

/** The last lines of what was said, without control characters. */
function quoted(said: string): string {
  const lines = said.split('\n').map((line) => line.replaceAll(/\p{Cc}/gu, ' ').trim());
  const text = lines
    .filter((line) => line !== '')
    .slice(-3)
    .join(' / ')
    .slice(-400);
  return text === '' ? '' : `; it said: ${text}`;
}
