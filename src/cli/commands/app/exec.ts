import { Args, Flags } from '@oclif/core';
import { chooseTask } from '../../../apps/choose-task.ts';
import { joinExecSession } from '../../../apps/edge/exec-session.ts';
import { agentFor } from '../../../context/edge/http-send.ts';
import { MesosupError, UsageError } from '../../../errors/mesosup-error.ts';
import { ApiCommand, certificatesOf } from '../../api-command.ts';
import { findTasks } from '../../tasks-of.ts';
import { wordsAfterDashes } from '../../usage/command-words.ts';

export default class AppExec extends ApiCommand {
  static override summary = 'Run a command in the container of a task.';
  static override description =
    'For an app, the first task that runs is used, healthy ones first. Exits with the exit code of the command. With --tty, keys are passed on as they are typed, and the size of the terminal is kept.';
  static override examples = [
    '<%= config.bin %> app exec redis -- redis-cli PING',
    '<%= config.bin %> app exec -it redis -- sh',
    'echo PING | <%= config.bin %> app exec -i redis -- redis-cli',
  ];
  static override strict = false;
  static override args = {
    target: Args.string({
      name: 'APP|TASK',
      description: 'The id of an app or of a task; after it -- and the command.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    interactive: Flags.boolean({ char: 'i', summary: 'Pass on standard input.' }),
    tty: Flags.boolean({ char: 't', summary: 'Run the command in a terminal.' }),
    user: Flags.string({ char: 'u', summary: "The user. Default: the container's.", helpValue: 'USER' }),
    workdir: Flags.string({
      char: 'w',
      summary: "The working directory. Default: the container's.",
      helpValue: 'DIRECTORY',
    }),
    env: Flags.string({
      char: 'e',
      summary: 'A variable. May be repeated.',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(AppExec);
    const command = this.argv.includes('--') ? wordsAfterDashes(this.argv) : argv.slice(1).map(String);
    if (this.argv.includes('--') && argv.length <= command.length) {
      throw new UsageError(`name the app before --: mesosup app exec APP -- ${command.join(' ')}`);
    }
    const { stdin, stdout, stderr } = process;
    if (command.length === 0) {
      throw new UsageError(`name a command after --: mesosup app exec ${args.target} -- CMD`);
    }
    if (flags.tty && !(stdin.isTTY && stdout.isTTY)) {
      throw new UsageError('--tty needs a terminal: leave it out in a pipe');
    }
    const { client, context } = await this.connect(flags);
    const task = chooseTask(args.target, await findTasks(client, args.target));
    const ca = await certificatesOf(context);
    const body = {
      argv: command,
      tty: flags.tty,
      environment: Object.fromEntries((flags.env ?? []).map(variable)),
      ...(flags.user !== undefined && { user: flags.user }),
      ...(flags.workdir !== undefined && { workingDirectory: flags.workdir }),
      ...(flags.tty && { columns: stdout.columns, rows: stdout.rows }),
    };
    // A session that nobody has joined runs nothing.
    const create = async () => {
      const path = { id: task.id };
      const { url } = await client.call('POST', '/v2/tasks/{id}/exec', { path, body }, { isHarmless: true });
      const socket = client.webSocket(url);
      return { ...socket, ca, agent: await agentFor(socket.url, { ca }) };
    };
    const streams = { stdin: flags.interactive ? stdin : undefined, stdout, stderr, tty: flags.tty };
    const outcome = await joinExecSession(create, streams).catch((error: Error) => {
      if (error instanceof MesosupError) throw error;
      throw new MesosupError(`the session with ${task.id} could not begin: ${error.message}`);
    });
    if (!outcome) throw new MesosupError(`the connection to ${task.id} was lost; the command was ended`);
    if (outcome.type === 'error') throw new MesosupError(`${task.id}: ${outcome.message}`);
    process.exitCode = outcome.code;
  }
}

function variable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`--env ${text}: expected NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
