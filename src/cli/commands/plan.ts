import { Flags } from '@oclif/core';
import { EXIT } from '../../errors/mesosup-error.ts';
import { quote } from '../../hosts/quote.ts';
import { changesIn } from '../../install/drift.ts';
import { issueCertificates, makeSecrets } from '../../install/operations/certificates.ts';
import { savePlan } from '../../install/operations/plan-file.ts';
import { prepare, surveyCluster } from '../../install/operations/prepare.ts';
import { renderProblems } from '../../install/operations/reach.ts';
import type { Plan, Problem } from '../../install/plan.ts';
import { renderPlan } from '../../install/render-plan.ts';
import { renderSummary } from '../../install/render-summary.ts';
import { type PlanSummary, summarize } from '../../install/summary.ts';
import { listed } from '../../text/listed.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { allowRemoveFlag, bundleFlag, updateFlag } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { nextCommand } from '../next-command.ts';

export default class PlanCommand extends BaseCommand {
  static override summary = 'Show the changes that an install would make on the hosts.';
  static override description =
    'Lists the changes, then a summary: hosts, downloads, an estimate of the time, and what restarts or ends. Changes nothing. Exits with 3 when there are changes, 0 when there are none, and 1 when a host fails preflight. "mesosup install FILE" applies exactly the plan that --out saved, unless the hosts have changed since then.';
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan --hosts h1,h2,h3 --out plan.json',
    '<%= config.bin %> plan --local --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    start: Flags.boolean({
      summary: 'Show the changes of install --start, which also starts the services.',
      exclusive: ['out'],
    }),
    'allow-remove': allowRemoveFlag,
    update: updateFlag,
    bundle: { ...bundleFlag, exclusive: ['out'] },
    out: Flags.string({
      summary: 'Save the plan to a file that only you can read. It contains no secrets.',
      helpValue: 'FILE',
    }),
    diff: Flags.boolean({ summary: 'Also show the diffs of files.' }),
    brief: Flags.boolean({ summary: 'Show only the summary.', exclusive: ['diff'] }),
  };

  async run(): Promise<{ plan: Plan; problems: readonly Problem[]; summary: PlanSummary }> {
    const { flags } = await this.parse(PlanCommand);
    const loaded = await clusterOf(flags);
    return withSession(this, loaded, flags, async ({ session, program }) => {
      const looked = await surveyCluster(session);
      // A saved plan is applied with the secrets and certificates it was made with.
      const secrets =
        flags.out === undefined
          ? looked.secrets
          : await issueCertificates(
              session,
              looked.facts,
              looked.secrets ?? (await makeSecrets(session, looked.facts)),
            );
      const intent = {
        command: 'install',
        start: flags.start,
        allowRemove: flags['allow-remove'] ?? [],
        update: flags.update,
        bundle: flags.bundle,
      } as const;
      const prepared = await prepare(session, program, { ...looked, secrets }, intent);
      const { plan, problems, reach } = prepared;
      const summary = summarize({ ...prepared, cluster: session.cluster });
      if (problems.length > 0) this.log(`${renderProblems(problems)}\n`);
      const colour = process.stdout.hasColors?.() ?? false;
      const changes = flags.brief ? 'none' : flags.diff ? 'diff' : 'titles';
      const lines = renderSummary(summary, true);
      this.log(renderPlan(plan, { colour, changes, summary: lines }).trimEnd());
      if (flags.out !== undefined) {
        await savePlan(flags.out, { plan, cluster: loaded.cluster });
        this.log(`Saved. Apply it with: ${this.config.bin} install ${flags.out}`);
      } else this.log(this.#next(plan, reach.leftOut, flags));
      if (reach.leftOut.length > 0) process.exitCode = EXIT.failed;
      else if (changesIn(plan) > 0) process.exitCode = EXIT.changes;
      return { plan, problems, summary };
    });
  }

  #next(
    plan: Plan,
    leftOut: readonly string[],
    { start, update, bundle }: { start: boolean; update: boolean; bundle?: string | undefined },
  ): string {
    const { bin } = this.config;
    if (changesIn(plan) === 0) return `Next: ${nextCommand(bin, 'status', this.argv)}`;
    const without =
      leftOut.length > 0 ? `Fix the problems above, or go on without ${listed(leftOut)}.\n` : '';
    const command = [
      'install',
      ...(start ? ['--start'] : []),
      ...(update ? ['--update'] : []),
      ...(bundle === undefined ? [] : ['--bundle', quote(bundle)]),
    ].join(' ');
    return `${without}Next: ${nextCommand(bin, command, this.argv)}`;
  }
}
