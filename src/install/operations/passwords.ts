/** Provides passwords and pass phrases: from a file, from one question for all hosts, or by asking for each. */

import { readFile } from 'node:fs/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Ask, Question } from '../../hosts/questions.ts';

export interface AskOptions {
  /** Path of a file that contains the sudo password for all hosts. */
  readonly sudoPasswordFile?: string | undefined;
  /** Ask for the sudo password at the beginning, once for all hosts. */
  readonly askSudoPassword?: boolean | undefined;
  /** True if a user can answer questions. */
  readonly asks: boolean;
  /** Called around each question, so that the progress display makes room for it. */
  readonly pause?: <T>(question: () => Promise<T>) => Promise<T>;
}

/** @throws MesosupError when the password file can't be read */
export async function makeAsk(options: AskOptions): Promise<Ask> {
  const known = await readSudoPassword(options);
  const pause = options.pause ?? ((question) => question());
  // After a wrong password, only a user can give another one.
  const tried = new Set<string>();
  return async (question) => {
    if (question.kind === 'sudo' && known !== undefined && !tried.has(question.host)) {
      tried.add(question.host);
      return known;
    }
    return options.asks ? pause(() => promptPassword(questionText(question))) : undefined;
  };
}

async function readSudoPassword({ sudoPasswordFile, askSudoPassword, asks }: AskOptions) {
  if (sudoPasswordFile !== undefined) {
    const text = await readFile(sudoPasswordFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      const message = `${sudoPasswordFile} can't be read: ${cause.code}`;
      throw new MesosupError(message, {
        remedy: 'Use a file that contains the sudo password in its first line.',
        cause,
      });
    });
    return text.split('\n')[0] ?? '';
  }
  if (!askSudoPassword) return undefined;
  if (!asks) {
    throw new MesosupError("--ask-sudo-password needs a terminal, and can't be combined with --no-input", {
      remedy: 'Use --sudo-password-file instead.',
    });
  }
  return promptPassword('sudo password for all hosts');
}

function questionText(question: Question): string {
  switch (question.kind) {
    case 'sudo':
      return `sudo password for ${question.user} on ${question.host}`;
    case 'pass phrase':
      return `${question.again ? 'Wrong pass phrase. ' : ''}Pass phrase for ${question.file}`;
    case 'login':
      // The text comes from the host: control characters could manipulate the terminal.
      return `${question.user}@${question.host}: ${question.text.replace(/\p{Cc}+/gu, ' ').trim()}`;
  }
}

async function promptPassword(message: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'password', name: 'answer', message, mask: '•' }]);
  return answer;
}
