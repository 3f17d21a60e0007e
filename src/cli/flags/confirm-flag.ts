/** The flag `--yes` of commands that ask before a change of apps. */

import { Flags } from '@oclif/core';
import { UsageError } from '../../errors/mesosup-error.ts';

export const confirmFlag = Flags.boolean({ char: 'y', summary: 'Change without asking for confirmation.' });

/** @returns false if the user declines @throws UsageError without a terminal */
export async function isConfirmed(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UsageError(
      'no terminal to ask for confirmation: add --yes to make the change without a question',
    );
  }
  const { default: inquirer } = await import('inquirer');
  const prompt = { type: 'confirm', name: 'answer', message: question, default: false } as const;
  return (await inquirer.prompt([prompt])).answer;
}
