/** Asks for confirmation before something is changed. */

import { UsageError } from '../errors/mesosup-error.ts';
import type { Screen } from '../install/operations/screen.ts';

type Asking = Pick<Screen, 'asks'>;

/** @throws UsageError without a terminal, or with --no-input */
export async function confirm(message: string, screen: Asking): Promise<boolean> {
  requireTerminal(screen);
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'confirm', name: 'answer', message, default: false }]);
  return answer;
}

/** Asks the user to type the cluster's name, for a change that can't be undone. @throws UsageError like `confirm` */
export async function confirmByName(name: string, screen: Asking): Promise<boolean> {
  requireTerminal(screen);
  const { default: inquirer } = await import('inquirer');
  const message = `Type the name of the cluster (${name}) to remove it from these hosts`;
  const { answer } = await inquirer.prompt([{ type: 'input', name: 'answer', message }]);
  return answer === name;
}

function requireTerminal(screen: Asking): void {
  if (screen.asks) return;
  throw new UsageError(
    'no terminal to ask for confirmation: add --yes to make the changes without a question',
  );
}
