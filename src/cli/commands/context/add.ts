import { access } from 'node:fs/promises';
import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { checkName, checkUrl } from '../../../context/context.ts';
import { checkScheduler } from '../../../context/edge/check-scheduler.ts';
import { nameIsTaken } from '../../../context/edge/contexts.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { clientOf } from '../../api-command.ts';
import { BaseCommand } from '../../base-command.ts';
import { readSecret } from '../../secret-input.ts';
import { userContexts } from '../../user-contexts.ts';

export default class ContextAdd extends BaseCommand {
  static override summary = 'Add a cluster by the URL of its scheduler.';
  static override description =
    'Asks for the password or the token, or reads the first line of standard input. It is stored in ~/.config/mesosup/contexts.json, which only its owner can read. The scheduler is asked before the context is stored; --no-check stores it unasked.';
  static override examples = [
    '<%= config.bin %> context add local http://127.0.0.1:8080',
    '<%= config.bin %> context add prod https://s1.example:8443 https://s2.example:8443 --user anna --ca ca.pem',
    '<%= config.bin %> context add ci https://s1.example:8443 --token --use < token.txt',
  ];
  static override strict = false;
  static override args = {
    name: Args.string({ description: 'The name of the context.', required: true, ignoreStdin: true }),
    url: Args.string({
      name: 'URL',
      description: 'The URL of the scheduler; with several schedulers, the URL of each.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    user: Flags.string({ summary: 'User with a password. Default: no authentication.', helpValue: 'USER' }),
    token: Flags.boolean({ summary: 'Use a token.', exclusive: ['user'] }),
    ca: Flags.string({
      summary: "File of CA certificates in PEM for the schedulers' certificates. Default: the system's.",
      helpValue: 'FILE',
    }),
    check: Flags.boolean({
      default: true,
      allowNo: true,
      summary: 'Ask the scheduler before the context is stored. Default: --check.',
    }),
    use: Flags.boolean({ summary: 'Use the context in all commands from now on.' }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(ContextAdd);
    const name = checkName(args.name);
    const urls = argv.slice(1).map((url) => checkUrl(String(url), 'URL'));
    const caFile = flags.ca === undefined ? undefined : await existing(flags.ca);
    const contexts = userContexts();
    if ((await contexts.names()).includes(name)) throw nameIsTaken(name);
    const { user } = flags;
    const secrets = flags.token
      ? { token: await readSecret('token') }
      : user !== undefined && { user, password: await readSecret('password') };
    const stored = { name, urls, ...secrets, ...(caFile !== undefined && { caFile }) };
    if (flags.check) {
      const credentials =
        'token' in stored
          ? ({ kind: 'token', token: stored.token } as const)
          : 'user' in stored
            ? ({ kind: 'password', user: stored.user, password: stored.password } as const)
            : undefined;
      const client = await clientOf({ name, source: 'added', urls, caFile, credentials });
      await checkScheduler(client);
    }
    await contexts.add(stored);
    if (flags.use) await contexts.use(name);
    this.log(
      flags.use
        ? `Added ${name}. Commands now use it.`
        : `Added ${name}. Use it with: mesosup context use ${name}`,
    );
  }
}

/** @returns the full path @throws UsageError */
async function existing(file: string): Promise<string> {
  await access(file).catch(() => {
    throw new UsageError(`--ca ${file} can't be read: there is no such file`);
  });
  return path.resolve(file);
}
