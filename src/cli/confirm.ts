/** Questions before hosts are changed. */

import { UsageError } from '../errors/mesosup-error.ts';
import type { Screen } from '../install/operations/screen.ts';

/** @throws UsageError where nobody can be asked */
export async function confirmed(message: string, screen: Screen): Promise<boolean> {
  mustBeAsked(screen);
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'confirm', name: 'answer', message, default: false }]);
  return answer;
}

/** For what can't be taken back: the name has to be typed. @throws UsageError where nobody can be asked */
export async function confirmedByName(name: string, screen: Screen): Promise<boolean> {
  mustBeAsked(screen);
  const { default: inquirer } = await import('inquirer');
  const message = `Type the name of the cluster (${name}) to take it off these hosts`;
  const { answer } = await inquirer.prompt([{ type: 'input', name: 'answer', message }]);
  return answer === name;
}

function mustBeAsked(screen: Screen): void {
  if (screen.asks) return;
  throw new UsageError('nobody can be asked here: add --yes to change the hosts without a question');
}
