import { Args, Flags } from '@oclif/core';
import type { ApiClient } from '../../../client/api-client.ts';
import { ApiError } from '../../../client/api-error.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { type ImportPlan, type PlanApps, planImport } from '../../../scheduler/import/import.ts';
import { type MarathonApps, readMarathon } from '../../../scheduler/import/marathon.ts';
import { describePlan, describeRemarks } from '../../../scheduler/import/report.ts';
import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';
import { started } from '../../change-app.ts';
import { displayName, readFileArgument } from '../../file-argument.ts';
import { putApps } from '../../put-apps.ts';
import { clientOfFlags, isOwnAddress } from '../../scheduler-address.ts';
import { userContexts } from '../../user-contexts.ts';

const SAVE_IT = "Save Marathon's answer to GET /v2/groups with curl, and name that file.";

interface Imported extends ImportPlan {
  /** False with `--dry-run`, or when something prevented the import. */
  readonly imported: boolean;
  readonly deploymentId?: string;
}

export default class SchedulerImport extends ApiCommand {
  static override summary = "Import Marathon's apps into a running scheduler.";
  static override description =
    "FILE is Marathon's answer to GET /v2/groups or GET /v2/apps. One deployment creates or changes its apps; apps of the scheduler that are not in the file stay as they are. Fields that Marathon adds itself are left out, and dependencies of a group become dependencies of each of its apps. All problems are reported together, before anything changes. If the file uses unsupported features, nothing is imported unless you add --leave-out. Fields without effect are listed, and imported. Marathon's own tasks keep running until you stop them in Marathon. Exits with 1 when nothing could be imported, and with 2 when FILE or the flags are invalid.";
  static override examples = [
    '<%= config.bin %> scheduler import groups.json --dry-run',
    '<%= config.bin %> scheduler import groups.json --leave-out --json',
    '<%= config.bin %> scheduler import apps.json --context prod',
    '<%= config.bin %> scheduler import apps.json --url https://scheduler.example:8443 --credentials-file api',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: 'FILE',
      description: 'The JSON file; - reads standard input.',
      required: true,
    }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show the changes without making them.' }),
    'leave-out': Flags.boolean({ default: false, summary: 'Import without the unsupported features.' }),
    force: Flags.boolean({
      default: false,
      summary: 'Cancel a running deployment of the same apps.',
    }),
    url: Flags.string({
      summary:
        'URL of a scheduler without a context. Default: the context; if there is none, the scheduler of this machine at port 8080.',
      helpValue: 'URL',
      exclusive: ['context'],
    }),
    'credentials-file': Flags.string({
      summary: 'File with USER:PASSWORD for the API at --url.',
      helpValue: 'PATH',
      exclusive: ['token-file', 'context'],
    }),
    'token-file': Flags.string({
      summary: 'File with a token for the API at --url.',
      helpValue: 'PATH',
      exclusive: ['context'],
    }),
    'ca-file': Flags.string({
      summary: "File of CA certificates in PEM for the scheduler's certificate. Default: the system's.",
      helpValue: 'PATH',
      exclusive: ['context'],
    }),
  };

  async run(): Promise<Imported> {
    const { args, flags } = await this.parse(SchedulerImport);
    const isOwn = isOwnAddress(flags) || !(await userContexts().hasChoice(flags.context));
    const client = isOwn ? clientOfFlags(flags) : (await this.connect(flags)).client;
    const read = await this.#read(args.file);
    this.progress(`asking ${client.url} for the changes of ${count(read.apps.length, 'app')}`);
    const plan = await planImport(planWith(client, flags.force), read);
    for (const line of describePlan(plan)) this.log(line);
    this.#report(plan, flags['leave-out']);
    const isAllowed = plan.problems.length === 0 && (plan.unsupported.length === 0 || flags['leave-out']);
    if (!isAllowed) process.exitCode = 1;
    if (!isAllowed || flags['dry-run']) {
      this.log(
        isAllowed ? 'Nothing was changed. Run again without --dry-run to import.' : 'Nothing was changed.',
      );
      return { imported: false, ...plan };
    }
    const { deploymentId } = started(await putApps(client, read.apps, { force: flags.force }));
    const follow = isOwn
      ? `Its progress: ${client.url}/v2/deployments/${deploymentId}`
      : `Follow it with: mesosup app deployments watch ${deploymentId}`;
    this.log(`Imported by deployment ${deploymentId}. ${follow}`);
    return { imported: true, deploymentId, ...plan };
  }

  async #read(file: string): Promise<MarathonApps> {
    const name = displayName(file);
    const json = (await readFileArgument(file)).toString('utf8');
    let answer: unknown;
    try {
      answer = JSON.parse(json);
    } catch (error) {
      throw new UsageError(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
        remedy: SAVE_IT,
      });
    }
    const read = readMarathon(answer);
    if (!read)
      throw new UsageError(
        `${name} is not an answer to GET /v2/groups or GET /v2/apps: it has no list of apps`,
        { remedy: SAVE_IT },
      );
    if (read.apps.length === 0) throw new UsageError(`${name} has no apps`, { remedy: SAVE_IT });
    return read;
  }

  #report({ problems, unsupported, warnings }: ImportPlan, leaveOut: boolean): void {
    if (problems.length > 0) {
      this.logToStderr(`Fix ${count(problems.length, 'problem')} in the file:`);
      for (const line of describeRemarks(problems)) this.logToStderr(line);
    }
    if (unsupported.length > 0) {
      this.logToStderr(
        leaveOut
          ? 'Not supported, so the import leaves this out:'
          : 'Not supported. Add --leave-out to import without this:',
      );
      for (const line of describeRemarks(unsupported)) this.logToStderr(line);
    }
    if (warnings.length > 0) {
      this.logToStderr('Accepted, but without effect:');
      for (const line of describeRemarks(warnings)) this.logToStderr(line);
    }
  }
}

function planWith(client: ApiClient, force: boolean): PlanApps {
  return async (apps) => {
    try {
      const plan = await putApps(client, apps, { force, dryRun: true });
      if ('steps' in plan) return plan.steps.flatMap(({ actions }) => actions);
    } catch (error) {
      if (!(error instanceof ApiError) || error.fields.length === 0) throw error;
      return { fields: error.fields, error };
    }
    throw new ApiError(`${client.url} does not answer like a scheduler of mesosup`);
  };
}
