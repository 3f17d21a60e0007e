/** Passwords and pass phrases: from a file, from one question for all hosts, or asked when a host wants one. */

import { readFile } from 'node:fs/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Ask, Question } from '../../hosts/questions.ts';

export interface AskOptions {
  /** Holds the sudo password of all hosts. */
  readonly sudoPasswordFile?: string | undefined;
  /** Ask for it at the beginning, once for all hosts. */
  readonly askSudoPassword?: boolean | undefined;
  /** Whether there is somebody to answer. */
  readonly asks: boolean;
  /** Called around a question, so that the progress makes room for it. */
  readonly pause?: <T>(question: () => Promise<T>) => Promise<T>;
}

/** @throws MesosupError when the password's file can't be read or is open to others */
export async function asker(options: AskOptions): Promise<Ask> {
  const given = await sudoPassword(options);
  const pause = options.pause ?? ((question) => question());
  // A wrong password is worth a second question only when a person can give another.
  const tried = new Set<string>();
  return async (question) => {
    if (question.kind === 'sudo' && given !== undefined && !tried.has(question.host)) {
      tried.add(question.host);
      return given;
    }
    return options.asks ? pause(() => password(wording(question))) : undefined;
  };
}

async function sudoPassword({ sudoPasswordFile, askSudoPassword, asks }: AskOptions) {
  if (sudoPasswordFile !== undefined) {
    const text = await readFile(sudoPasswordFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      const message = `${sudoPasswordFile} can't be read: ${cause.code}`;
      throw new MesosupError(message, {
        remedy: 'Name a file that holds the sudo password in its first line.',
        cause,
      });
    });
    return text.split('\n')[0] ?? '';
  }
  if (!askSudoPassword) return undefined;
  if (!asks) {
    throw new MesosupError('--ask-sudo-password needs a terminal, and no --no-input', {
      remedy: 'Give a file with --sudo-password-file instead.',
    });
  }
  return password('sudo password of all hosts');
}

function wording(question: Question): string {
  switch (question.kind) {
    case 'sudo':
      return `sudo password of ${question.user} on ${question.host}`;
    case 'pass phrase':
      return `${question.again ? 'That was wrong. ' : ''}Pass phrase of ${question.file}`;
    case 'login':
      // The host's own words, which must not steer the terminal.
      return `${question.user}@${question.host}: ${question.text.replace(/\p{Cc}+/gu, ' ').trim()}`;
  }
}

async function password(message: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'password', name: 'answer', message, mask: '•' }]);
  return answer;
}
