import { Args, Flags } from '@oclif/core';
import { appsOfEvent, eventText } from '../../../apps/event-text.ts';
import { isJson, parseJson } from '../../../json.ts';
import { printableData } from '../../../text/printable.ts';
import { ApiCommand } from '../../api-command.ts';
import { appIdOf } from '../../app-argument.ts';
import { untilInterrupted } from '../../until-interrupted.ts';
import { write } from '../../write-out.ts';

/** A new leader answers within a minute. */
const PATIENCE_MS = 90_000;

export default class AppEvents extends ApiCommand {
  static override summary = 'Show what happens to apps, tasks and deployments, until Ctrl-C.';
  static override examples = [
    '<%= config.bin %> app events',
    '<%= config.bin %> app events redis -o json',
    '<%= config.bin %> app events --type deployment_failed --type deployment_success',
  ];
  static override args = {
    app: Args.string({ name: 'APP', description: 'Only events of this app.', ignoreStdin: true }),
  };
  static override flags = {
    type: Flags.string({
      summary: 'Only events of this type. May be repeated.',
      helpValue: 'TYPE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    output: Flags.option({
      char: 'o',
      options: ['json'] as const,
      summary: 'The format: json prints each event as a line of JSON. Default: text.',
      helpValue: 'FORMAT',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppEvents);
    const { client } = await this.connect(flags);
    const app = args.app === undefined ? undefined : appIdOf(args.app);
    const query = { event_type: flags.type, 'plan-format': 'light' };
    await untilInterrupted(async (signal) => {
      const limits = { signal, patienceMs: PATIENCE_MS };
      for await (const { data } of client.events('/v2/events', { query }, limits)) {
        const event = parseJson(data);
        if (!isJson(event) || (app !== undefined && !appsOfEvent(event).includes(app))) continue;
        await write(`${flags.output === 'json' ? printableData(JSON.stringify(event)) : eventText(event)}\n`);
      }
    });
  }
}
