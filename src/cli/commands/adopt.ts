import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { overridesOf } from '../../cluster/host-list.ts';
import { formatSpecError } from '../../cluster/spec-errors.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { prepare, surveyCluster } from '../../install/operations/prepare.ts';
import { problemsError, renderProblems } from '../../install/operations/reach.ts';
import type { Plan, Problem } from '../../install/plan.ts';
import { type PlanSummary, summarize } from '../../install/summary.ts';
import { count } from '../../text/count.ts';
import { fewLines } from '../../text/few-lines.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, hostFlags, hostOptions, splitNames, stateOf } from '../flags/cluster-flags.ts';
import { type ConnectFlags, connectFlags } from '../flags/connect-flags.ts';
import { keyFile } from '../flags/key-file.ts';
import { checkPlace, describeNew, newFileFlags, schemaUrl, writeNew } from '../new-file.ts';
import { nextCommand } from '../next-command.ts';

const { masters: _masters, agents: _agents, zookeeper: _zookeeper, ...reachFlags } = hostFlags;

export default class Adopt extends BaseCommand {
  static override summary = 'Write the cluster.yaml of a running Mesos that others installed.';
  static override description =
    'Reads the masters and agents that run on the hosts, and changes nothing there. Writes their roles, addresses, flags, attributes and resources into a cluster file, and their credentials into the state of the cluster on this machine. Then shows what an install would change.';
  static override examples = [
    '<%= config.bin %> adopt --hosts h1,h2,h3',
    '<%= config.bin %> adopt h1 h2 h3 --user admin --file prod.yaml',
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    HOST: Args.string({
      description: 'Hosts with a Mesos master or agent, as name or user@name:port.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...newFileFlags,
    ...reachFlags,
    state: Flags.string({
      summary: "Directory for the cluster's secrets on this machine. Default: ~/.local/state/mesosup/NAME.",
      helpValue: 'DIRECTORY',
      helpGroup: 'CLUSTER',
    }),
    ...connectFlags,
  };

  async run(): Promise<{
    file: string;
    notes: readonly Problem[];
    plan: Plan;
    problems: readonly Problem[];
    summary: PlanSummary;
  }> {
    const { flags, argv } = await this.parse(Adopt);
    const named = [...(argv as string[]), ...(flags.hosts ?? [])].flatMap(splitNames);
    if (named.length === 0 && !flags.local) {
      throw new UsageError('name the hosts with a Mesos master or agent: mesosup adopt h1 h2 h3, or --local');
    }
    const file = path.resolve(flags.file);
    await checkPlace(flags.file, path.dirname(file), flags.force);
    const key = flags.key === undefined ? undefined : await keyFile(flags.key, path.dirname(file));
    const overrides = overridesOf(
      hostOptions({ ...flags, hosts: named.length > 0 ? named : undefined, key }),
    );
    const reached = { ...flags, file: undefined, hosts: named.length > 0 ? named : undefined };
    const read = await withSession(this, await clusterOf(reached), flags, async ({ session }) => {
      const { readAdopted } = await import('../../install/operations/read-adopted.ts');
      return readAdopted(session);
    });
    if (read.problems.length > 0) throw refused(read.problems);
    const [{ adoptCluster }, { hostBlocks }, { parseSpec }, { specText }] = await Promise.all([
      import('../../install/adopt/adopt-cluster.ts'),
      import('../../cluster/build.ts'),
      import('../../cluster/spec.ts'),
      import('../../cluster/spec-text.ts'),
    ]);
    const adopted = adoptCluster({ name: flags.name, ...hostBlocks(overrides, read.found) });
    if ('errors' in adopted) throw refused(adopted.errors);
    const text = specText(adopted.spec, schemaUrl(this.config.root));
    const result = parseSpec(text, flags.file);
    if (!result.ok) throw new MesosupError(fewLines(result.errors.map(formatSpecError)));
    const cluster = result.value;
    const state = stateOf(cluster.name, flags.state);
    if ((await state.cluster()) !== undefined) {
      throw new UsageError(`the cluster ${cluster.name} was installed from this machine already`, {
        remedy: 'Give the adopted cluster another name with --name.',
      });
    }
    await state.importSecrets(adopted.secrets);
    await writeNew(flags.file, text, flags.force);
    this.log(describeNew(flags.file, cluster));
    const secrets = Object.keys(adopted.secrets).length;
    if (secrets > 0) this.log(`${count(secrets, 'secret')} of the hosts: ${state.secretsFile}`);
    if (adopted.notes.length > 0) this.log(`\n${renderProblems(adopted.notes)}`);
    return this.#showPlan(flags, adopted.notes, { file, state: flags.state ?? state.directory });
  }

  async #showPlan(
    flags: ConnectFlags,
    notes: readonly Problem[],
    where: { readonly file: string; readonly state: string },
  ) {
    const loaded = await clusterOf(where);
    return withSession(
      this,
      loaded,
      flags,
      async ({ session, program }) => {
        const looked = await surveyCluster(session);
        const prepared = await prepare(session, program, looked, { command: 'install', start: true });
        const { plan, problems } = prepared;
        const summary = summarize({ ...prepared, cluster: session.cluster });
        if (problems.length > 0) this.log(`\n${renderProblems(problems)}`);
        const [{ renderPlan }, { renderSummary }] = await Promise.all([
          import('../../install/render-plan.ts'),
          import('../../install/render-summary.ts'),
        ]);
        const colour = process.stdout.hasColors?.() ?? false;
        const lines = renderSummary(summary, true);
        this.log(
          `\nAn install would make these changes:\n${renderPlan(plan, { colour, changes: 'none', summary: lines }).trimEnd()}`,
        );
        if (summary.endsTasks.length === 0 && summary.drains.length === 0) this.log('No task ends.');
        const next = (command: string) =>
          nextCommand(this.config.bin, command, this.argv, Object.keys(hostFlags));
        this.log(`Next: ${next('plan --start --diff')}\nThen: ${next('install --start')}`);
        return { file: where.file, notes, plan, problems, summary };
      },
      'Interrupted. Nothing was changed on the hosts.',
    );
  }
}

function refused(problems: readonly Problem[]): MesosupError {
  return problemsError(problems, 'No file was written.');
}
