import { Args } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { formatHash, hashPassword } from '../../../scheduler/api/scrypt-hash.ts';
import { BaseCommand } from '../../base-command.ts';
import { readFileArgument } from '../../file-argument.ts';

interface Hashed {
  readonly hash: string;
}

export default class SchedulerPassword extends BaseCommand {
  static override summary = "Print the hash of a password for the scheduler's file of users.";
  static override description =
    'Asks for the password, or reads the first line of FILE or standard input. With NAME:HASH in the file of --http_users_file, the user NAME can use the API with the password.';
  static override examples = [
    '<%= config.bin %> scheduler password',
    '<%= config.bin %> scheduler password password.txt',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      name: 'FILE',
      description: 'The file with the password; - reads standard input. Default: asks on a terminal.',
      ignoreStdin: true,
    }),
  };

  async run(): Promise<Hashed> {
    const { args } = await this.parse(SchedulerPassword);
    const asks = args.file === undefined && process.stdin.isTTY && process.stdout.isTTY;
    const text = asks ? await ask() : (await readFileArgument(args.file ?? '-')).toString('utf8');
    const [password = ''] = text.split(/\r?\n/);
    if (password === '')
      throw new UsageError('The password is empty: write it to standard input, or name a file');
    const hash = formatHash(await hashPassword(password));
    this.log(hash);
    return { hash };
  }
}

async function ask(): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'password', name: 'answer', message: 'Password' }]);
  return answer;
}
