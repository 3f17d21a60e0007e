import { Args, Flags } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { SchedulerClient } from '../../../scheduler/import/client.ts';
import { readAccess } from '../../../scheduler/import/credentials.ts';
import { type ImportPlan, planImport } from '../../../scheduler/import/import.ts';
import { type MarathonApps, readMarathon } from '../../../scheduler/import/marathon.ts';
import { describePlan, describeRemarks } from '../../../scheduler/import/report.ts';
import { count } from '../../../text/count.ts';
import { BaseCommand } from '../../base-command.ts';
import { contentOf, nameOf } from '../../file-argument.ts';

interface Imported extends ImportPlan {
  /** Whether it was done. */
  readonly imported: boolean;
  readonly deploymentId?: string;
}

export default class SchedulerImport extends BaseCommand {
  static override summary = "Import a Marathon's apps into the scheduler that runs.";
  static override description =
    "FILE is what Marathon answers to GET /v2/groups or GET /v2/apps. Its apps are created or changed in one deployment; apps of the scheduler that are not in the file stay. What Marathon adds by itself is left out, what groups depend on becomes a dependency of each of their apps, and problems are told all at once, before anything is changed. Where something isn't supported here, nothing is done unless --leave-out says that it may be lost. Marathon's own tasks run on until they are stopped there. Exits with 1 when nothing could be imported, 2 when FILE or the flags will not do.";
  static override examples = [
    '<%= config.bin %> scheduler import groups.json --dry-run',
    '<%= config.bin %> scheduler import groups.json --leave-out --json',
    '<%= config.bin %> scheduler import apps.json --url https://scheduler.example:8443 --credentials-file api',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({ name: 'FILE', description: 'The JSON; - for the standard input.', required: true }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would be done; nothing is changed.' }),
    'leave-out': Flags.boolean({ default: false, summary: "Import without what isn't supported." }),
    force: Flags.boolean({
      default: false,
      summary: 'Also where a deployment is changing the same apps: that one ends.',
    }),
    url: Flags.string({
      summary: 'Where the scheduler is; http://127.0.0.1:8080 by default.',
      helpValue: 'URL',
    }),
    'credentials-file': Flags.string({
      summary: 'Holds USER:PASSWORD for the API.',
      helpValue: 'PATH',
      exclusive: ['token-file'],
    }),
    'token-file': Flags.string({ summary: 'Holds a token for the API.', helpValue: 'PATH' }),
  };

  async run(): Promise<Imported> {
    const { args, flags } = await this.parse(SchedulerImport);
    const { url, authorization } = readAccess(flags);
    const read = await this.#read(args.file);
    const client = new SchedulerClient(url, authorization);
    this.progress(`asking ${url} what ${count(read.apps.length, 'app')} would change`);
    const plan = await planImport(client, read, flags.force);
    for (const line of describePlan(plan)) this.log(line);
    this.#tell(plan, flags['leave-out']);
    const mayBe = plan.problems.length === 0 && (plan.unsupported.length === 0 || flags['leave-out']);
    if (!mayBe) process.exitCode = 1;
    if (!mayBe || flags['dry-run']) {
      this.log(mayBe ? 'Nothing was changed yet; without --dry-run it is.' : 'Nothing was changed.');
      return { imported: false, ...plan };
    }
    const { deploymentId } = await client.putApps(read.apps, flags.force);
    this.log(
      `Imported by deployment ${deploymentId}: ${url}/v2/deployments/${deploymentId} says how far it is.`,
    );
    return { imported: true, deploymentId, ...plan };
  }

  async #read(file: string): Promise<MarathonApps> {
    const name = nameOf(file);
    const json = (await contentOf(file)).toString('utf8');
    let answer: unknown;
    try {
      answer = JSON.parse(json);
    } catch (error) {
      throw new UsageError(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    const read = readMarathon(answer);
    if (!read)
      throw new UsageError(`${name} is no answer to GET /v2/groups or GET /v2/apps: it has no list of apps`);
    if (read.apps.length === 0) throw new UsageError(`${name} has no app in it`);
    return read;
  }

  #tell({ problems, unsupported }: ImportPlan, leaveOut: boolean): void {
    if (problems.length > 0) {
      this.logToStderr(`${count(problems.length, 'problem')}, to fix in the file:`);
      for (const line of describeRemarks(problems)) this.logToStderr(line);
    }
    if (unsupported.length > 0) {
      const what = leaveOut ? 'is left out' : 'would be lost, and is left out with --leave-out';
      this.logToStderr(`Not supported here; this ${what}:`);
      for (const line of describeRemarks(unsupported)) this.logToStderr(line);
    }
  }
}
