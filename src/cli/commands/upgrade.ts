import { Flags } from '@oclif/core';
import { EXIT } from '../../errors/mesosup-error.ts';
import { changesIn } from '../../install/drift.ts';
import { keptProgram } from '../../install/edge/kept-programs.ts';
import { surveyCluster } from '../../install/operations/prepare.ts';
import { prepareUpgrade } from '../../install/operations/prepare-upgrade.ts';
import { renderProblems } from '../../install/operations/reach.ts';
import type { Plan, Problem } from '../../install/plan.ts';
import { renderPlan } from '../../install/render-plan.ts';
import { renderSummary } from '../../install/render-summary.ts';
import { type PlanSummary, summarize } from '../../install/summary.ts';
import { COMPONENTS } from '../../install/upgrade/component.ts';
import type { UpgradeIntent } from '../../install/upgrade/intent.ts';
import { meetsVersion } from '../../install/versions.ts';
import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { programOf, withSession } from '../cluster-session.ts';
import { allowAgentReplaceFlag, allowRemoveFlag, changeFlags } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { durationSeconds } from '../flags/duration.ts';
import { runKeptProgram } from '../run-kept-program.ts';

const helpGroup = 'UPGRADE';

export default class Upgrade extends BaseCommand {
  static override summary = 'Upgrade mesosup, Mesos, ZooKeeper and Docker on a running cluster.';
  static override description =
    "Asks the hosts' apt for newer packages, compares mesosup's version on the hosts with this program's, and shows what restarts in which order. Then upgrades ZooKeeper, masters and schedulers one by one, the leader last, and agents in batches; each must be healthy again before the next one. Containers keep running, except where a change of Docker ends them: there the agent is drained first. Stops at the first host that fails. Run the same command again to resume.";
  static override examples = [
    '<%= config.bin %> upgrade --dry-run',
    '<%= config.bin %> upgrade --first h1 --pause 5m',
    '<%= config.bin %> upgrade --only mesos --to 1.11.0-0.7.1 --yes',
    '<%= config.bin %> upgrade --only docker --batch 2',
    '<%= config.bin %> upgrade --to 0.1.0',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    'dry-run': Flags.boolean({
      summary:
        'Show the versions, the changes and their order, and change nothing. Exits with 3 if there are changes.',
      helpGroup,
    }),
    only: Flags.option({
      options: COMPONENTS,
      summary: 'Upgrade only this component. Default: all.',
      helpGroup,
    })(),
    to: Flags.string({
      summary:
        "Another version of mesosup that is on this machine, also an older one. With --only mesos, zookeeper or docker: a version of its package. Default: this mesosup's version, and the newest packages that apt has.",
      helpValue: 'VERSION',
      helpGroup,
    }),
    first: Flags.string({
      summary: 'Upgrade this host completely before all others. Default: none.',
      helpValue: 'HOST',
      helpGroup,
    }),
    batch: Flags.integer({
      summary: 'Number of agents that restart at the same time. Default: a quarter of them.',
      helpValue: 'N',
      min: 1,
      helpGroup,
    }),
    pause: Flags.string({
      summary: 'Wait between two groups of hosts: 30s, 5m or 1h. Default: no pause.',
      helpValue: 'DURATION',
      helpGroup,
    }),
    'move-timeout': Flags.integer({
      summary:
        'Where Docker ends containers: time without progress after which tasks that no other agent has room for end with the agent. Default: 60.',
      helpValue: 'SECONDS',
      min: 1,
      helpGroup,
    }),
    ...changeFlags,
    'allow-agent-replace': allowAgentReplaceFlag,
    'allow-remove': allowRemoveFlag,
  };

  async run(): Promise<ChangeReport | { plan: Plan; problems: readonly Problem[]; summary: PlanSummary }> {
    const { flags } = await this.parse(Upgrade);
    const { version, root } = programOf(this);
    const isPackage = flags.only !== undefined && flags.only !== 'mesosup';
    if (flags.to !== undefined && !isPackage && !meetsVersion(version, flags.to))
      return runKeptProgram(await keptProgram(root, flags.to), this.argv);
    const intent: UpgradeIntent = {
      command: 'upgrade',
      component: flags.to === undefined ? flags.only : (flags.only ?? 'mesosup'),
      to: isPackage ? flags.to : undefined,
      first: flags.first,
      batch: flags.batch,
      pauseSeconds: flags.pause === undefined ? undefined : durationSeconds('pause', flags.pause),
      moveSeconds: flags['move-timeout'],
      allowRemove: flags['allow-remove'] ?? [],
    };
    const loaded = await clusterOf(flags);
    if (!flags['dry-run'])
      return runChange(this, loaded, flags, { intent, allowAgentReplace: flags['allow-agent-replace'] });
    return withSession(this, loaded, flags, async ({ session, program }) => {
      const prepared = await prepareUpgrade(session, program, await surveyCluster(session), intent);
      const { plan, problems, reach } = prepared;
      const summary = summarize({ ...prepared, cluster: session.cluster });
      if (problems.length > 0) this.log(`${renderProblems(problems)}\n`);
      const colour = process.stdout.hasColors?.() ?? false;
      const changes = flags.diff ? 'diff' : 'titles';
      this.log(renderPlan(plan, { colour, changes, summary: renderSummary(summary, false) }).trimEnd());
      if (reach.leftOut.length > 0) process.exitCode = EXIT.failed;
      else if (changesIn(plan) > 0) process.exitCode = EXIT.changes;
      return { plan, problems, summary };
    });
  }
}
