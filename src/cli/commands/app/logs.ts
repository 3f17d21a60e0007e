import { Flags } from '@oclif/core';
import { type LogOptions, readAppLogs, readTaskLog } from '../../../apps/edge/follow-logs.ts';
import { LineFormat } from '../../../apps/log-lines.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { printableLines } from '../../../text/printable.ts';
import { ApiCommand } from '../../api-command.ts';
import { appIdOf, optionalAppArgument } from '../../app-argument.ts';
import { lineFlags, patternOf, timeOf } from '../../flags/log-flags.ts';
import { untilInterrupted } from '../../until-interrupted.ts';
import { write } from '../../write-out.ts';

const FOLLOWED_TAIL = 10;

export default class AppLogs extends ApiCommand {
  static override summary = "Show the output of an app's tasks.";
  static override description =
    'Each line begins with its task; ! marks standard error. With --follow, the output of new tasks is shown too, also when tasks are replaced or another scheduler becomes the leader, until Ctrl-C. --since needs times, which only the output of containers has: a message names each other task, of which --follow shows only the new output.';
  static override examples = [
    '<%= config.bin %> app logs redis',
    '<%= config.bin %> app logs redis --follow --tail 20',
    '<%= config.bin %> app logs redis --since 10m',
    '<%= config.bin %> app logs redis --follow --since 2026-01-31T14:05:00Z',
    '<%= config.bin %> app logs redis --stderr --grep "error|warning"',
    '<%= config.bin %> app logs --task TASK',
  ];
  static override args = { app: { ...optionalAppArgument, description: 'The id of the app.' } };
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Show further output until Ctrl-C.' }),
    tail: Flags.integer({
      char: 'n',
      summary: `Only so many last lines of each stream of each task. Default: all, and ${FOLLOWED_TAIL} with --follow and without --since.`,
      helpValue: 'N',
      min: 0,
    }),
    since: lineFlags.since,
    task: Flags.string({
      summary: 'Only this task, which may have ended. Its lines have no prefix.',
      helpValue: 'TASK',
    }),
    stderr: Flags.boolean({ summary: 'Only standard error.' }),
    grep: lineFlags.grep,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppLogs);
    const { app } = args;
    const { task, follow } = flags;
    if ((app === undefined) === (task === undefined)) {
      throw new UsageError('name either an app or a --task: mesosup app logs APP');
    }
    const pattern = patternOf(flags.grep);
    const { since } = flags;
    // Only checked: the scheduler, whose clock may differ, counts a duration back.
    if (since !== undefined) timeOf(since, Date.now());
    const { client } = await this.connect(flags);
    const { stdout } = process;
    const format = new LineFormat({
      colour: stdout.isTTY && stdout.hasColors(),
      prefix: task === undefined,
      terminal: stdout.isTTY,
    });
    await untilInterrupted(async (signal) => {
      const options: LogOptions = {
        follow,
        tail: flags.tail ?? (follow && since === undefined ? FOLLOWED_TAIL : undefined),
        since,
        stream: flags.stderr ? 'stderr' : undefined,
        signal,
        onLine: async (line) => {
          if (!pattern || pattern.test(line.text)) await write(`${format.format(line)}\n`);
        },
        onNote: (text) => this.logToStderr(printableLines(text)),
      };
      if (task !== undefined) await readTaskLog(client, task, options);
      else await readAppLogs(client, appIdOf(app ?? ''), options);
    });
  }
}
