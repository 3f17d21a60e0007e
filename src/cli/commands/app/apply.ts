import { Flags } from '@oclif/core';
import { applyQuestion, applyText, planApply } from '../../../apps/apply-plan.ts';
import { readDefinitions } from '../../../apps/edge/read-definitions.ts';
import { settingsOf } from '../../../apps/variables.ts';
import { EXIT } from '../../../errors/mesosup-error.ts';
import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';
import { started } from '../../change-app.ts';
import { deploy } from '../../deploy.ts';
import { readFileArgument } from '../../file-argument.ts';
import { confirmFlag, isConfirmed } from '../../flags/confirm-flag.ts';
import { waitFlags } from '../../flags/wait-flags.ts';
import { putApps } from '../../put-apps.ts';

export default class AppApply extends ApiCommand {
  static override summary = 'Create or change the apps of files.';
  static override description =
    "A file has an app, a list of apps or a group in Marathon's format, as JSON or YAML. Fields that it leaves out get their defaults. Shows the differences, asks, and makes all changes in one deployment. {{ var.NAME }} in a text is replaced by the value of --set NAME=VALUE, {{ env.NAME }} by that of your environment. With --dry-run, exits with 3 when there are changes.";
  static override examples = [
    '<%= config.bin %> app apply -f app.json --dry-run',
    '<%= config.bin %> app apply -f apps.yaml --set tag=1.2 --yes',
    '<%= config.bin %> app apply -f apps/ --prune',
  ];
  static override flags = {
    file: Flags.string({
      char: 'f',
      summary: 'A file, a directory with files, or - for standard input. May be repeated.',
      helpValue: 'FILE|DIRECTORY|-',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    'dry-run': Flags.boolean({ summary: 'Show the differences, and change nothing.' }),
    prune: Flags.boolean({ summary: 'Remove the other apps of the groups in the files.' }),
    set: Flags.string({
      summary: 'Set a variable. May be repeated.',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    yes: confirmFlag,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppApply);
    const { force, wait } = flags;
    const variables = { set: settingsOf(flags.set ?? []), environment: process.env };
    const read = async (file: string) => (await readFileArgument(file)).toString('utf8');
    const { apps, groups, warnings } = await readDefinitions(flags.file, variables, read);
    for (const warning of warnings) this.logToStderr(`Warning: ${warning}`);
    const { client } = await this.connect(flags);
    const { apps: current } = await client.call('GET', '/v2/apps');
    const plans = planApply(apps, current, flags.prune ? groups : []);
    this.log(applyText(plans));
    const changed = plans.filter(({ change }) => change !== 'keep');
    if (changed.length === 0) {
      this.log('Nothing is to be changed.');
      return;
    }
    const isWanted = (id: string) => changed.some((one) => one.id === id);
    const bodies = apps.filter(({ id }) => isWanted(id));
    const removed = changed.filter(({ change }) => change === 'remove').map(({ id }) => id);
    // The scheduler checks what it alone knows, before any question.
    if (bodies.length > 0) await putApps(client, bodies, { force, dryRun: true });
    if (flags['dry-run']) {
      process.exitCode = EXIT.changes;
      return;
    }
    if (!(await isConfirmed(applyQuestion(plans), flags.yes))) {
      this.log('Nothing was changed.');
      return;
    }
    const say = (text: string) => this.log(text);
    if (bodies.length > 0) {
      await deploy(
        client,
        { wait, apps: bodies.map(({ id }) => id), say, done: `Deployed ${count(bodies.length, 'app')}` },
        async () => started(await putApps(client, bodies, { force })),
      );
    }
    for (const id of removed) {
      await deploy(client, { wait, apps: [id], removes: true, say, done: `Removed ${id}` }, async () =>
        started(await client.call('DELETE', '/v2/apps/{id}', { path: { id }, query: { force } })),
      );
    }
  }
}
