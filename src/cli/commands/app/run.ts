import { Args, Flags } from '@oclif/core';
import { appFromFlags, envFileLines } from '../../../apps/run-flags.ts';
import { ApiError } from '../../../client/api-error.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { count } from '../../../text/count.ts';
import { amountOf } from '../../amount-flag.ts';
import { ApiCommand } from '../../api-command.ts';
import { appIdOf } from '../../app-argument.ts';
import { startedByCreation } from '../../change-app.ts';
import { deploy } from '../../deploy.ts';
import { readFileArgument } from '../../file-argument.ts';
import { waitFlags } from '../../flags/wait-flags.ts';
import { wordsAfterDashes } from '../../usage/command-words.ts';

const many = (summary: string, helpValue: string) =>
  Flags.string({
    summary: `${summary} May be repeated.`,
    helpValue,
    multiple: true,
    multipleNonGreedy: true,
  });

export default class AppRun extends ApiCommand {
  static override summary = 'Run an image as a new app.';
  static override description =
    'The container is in a bridge network, with a port of its agent for each --port. Arguments after -- go to the image\'s program. Write secrets into --env-file, or name a variable of your environment with --env NAME: arguments are visible to others. "mesosup app apply" changes apps, and knows all fields.';
  static override examples = [
    '<%= config.bin %> app run johncosta/redis --port 6379 --instances 2',
    '<%= config.bin %> app run johncosta/redis --id shop/cache --port 6379 --check tcp --cpus 0.1 --constraint hostname:UNIQUE',
    '<%= config.bin %> app run johncosta/redis --id sleeper --cpus 0.1 --cmd "sleep 600" --no-wait',
  ];
  static override strict = false;
  static override args = {
    image: Args.string({ name: 'IMAGE', description: 'The image.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    id: Flags.string({ summary: "The id of the app. Default: the image's name.", helpValue: 'ID' }),
    instances: Flags.integer({ summary: 'Number of instances. Default: 1.', min: 0, helpValue: 'N' }),
    cpus: Flags.string({ summary: 'CPUs of an instance. Default: 1.', helpValue: 'N' }),
    mem: Flags.string({ summary: 'Memory of an instance in MiB. Default: 128.', helpValue: 'MIB' }),
    port: many('A port of the container; with HOST: the port of the agent.', '[HOST:]CONTAINER[/udp]'),
    env: many('A variable; without a value, that of your environment.', 'NAME[=VALUE]'),
    'env-file': many('File with a variable on each line.', 'FILE'),
    volume: many('A directory of the agent, or a volume of Docker.', 'HOST:CONTAINER[:ro]'),
    network: Flags.string({
      summary: 'bridge, host, or the name of a network of Docker. Default: bridge.',
      helpValue: 'NAME',
    }),
    label: many('A label of the app.', 'NAME=VALUE'),
    constraint: many('Where instances may run, for example hostname:UNIQUE.', 'FIELD:OPERATOR[:VALUE]'),
    check: Flags.string({
      summary: "A health check of the first port, or a command in the container's file system.",
      helpValue: 'http:/PATH|tcp|cmd:COMMAND',
    }),
    cmd: Flags.string({
      summary: 'A shell command instead of the program of the image.',
      helpValue: 'COMMAND',
    }),
    user: Flags.string({ summary: 'The user who runs the program.', helpValue: 'USER' }),
    parameter: many('A further option of docker create.', 'KEY=VALUE'),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(AppRun);
    imageBeforeDashes(this.argv, argv);
    const files = await Promise.all((flags['env-file'] ?? []).map((file) => readFileArgument(file)));
    const body = appFromFlags(
      {
        ...flags,
        cpus: amountOf(flags.cpus, 'cpus'),
        mem: amountOf(flags.mem, 'mem'),
        envLines: files.flatMap((file) => envFileLines(file.toString('utf8'))),
        image: args.image,
        args: argv.slice(1).map(String),
      },
      process.env,
    );
    const { client } = await this.connect(flags);
    const id = appIdOf(String(body.id));
    const { wait, force } = flags;
    const instances = count(flags.instances ?? 1, 'instance');
    const done = `Started ${id}: ${instances}. See it with: mesosup app show ${id.slice(1)}`;
    await deploy(client, { wait, apps: [id], done, say: (text) => this.log(text) }, async () => {
      const made = await client
        .call('POST', '/v2/apps', { query: { force }, body })
        .catch((error: unknown) => {
          if (!(error instanceof ApiError) || error.status !== 409) throw error;
          throw new UsageError(`there is already an app or group ${id}`, {
            remedy: 'Choose another id with --id, or change the app with "mesosup app apply".',
          });
        });
      return startedByCreation(made);
    });
  }
}

/** Without an image, the first word after -- would be it. */
function imageBeforeDashes(all: readonly string[], words: readonly unknown[]): void {
  const after = wordsAfterDashes(all);
  if (words.length > after.length) return;
  throw new UsageError(`name the image before --: mesosup app run IMAGE -- ${after.join(' ')}`);
}
