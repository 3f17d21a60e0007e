import path from 'node:path';
import { Flags } from '@oclif/core';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { EXIT, UsageError } from '../../errors/mesosup-error.ts';
import { type Diagnosis, renderDiagnosis } from '../../install/doctor/render.ts';
import { examineCluster } from '../../install/operations/examine.ts';
import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { withSession } from '../cluster-session.ts';
import { changeFlags } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { type ConnectFlags, connectFlags } from '../flags/connect-flags.ts';

/** With `--bundle`, also the file; with `--fix`, also what was found before, and what was changed. */
type Report = Diagnosis & {
  readonly bundle?: { readonly file: string; readonly bytes: number };
  readonly before?: Diagnosis;
  readonly change?: ChangeReport;
};

export default class Doctor extends BaseCommand {
  static override summary = 'Find out what is wrong with a cluster, and how to correct it.';
  static override description =
    'Reads all hosts and changes nothing: disks, names, clocks, connections between the hosts, Docker, ZooKeeper, Mesos, the scheduler, and differences from the cluster file. Each finding has what was seen and what to do. With --fix, corrects what an installation can correct, after showing the changes and asking. With --bundle, also writes what it read, with the last lines of logs, into an archive that can be given to others: secrets are replaced by dots. Exits with 1 if it finds an error; warnings alone are no failure.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --json',
    '<%= config.bin %> doctor --fix',
    '<%= config.bin %> doctor --bundle support.tar.gz',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    bundle: Flags.string({
      summary:
        'Write what was read and found, logs and metrics into a new archive (.tar.gz), without secrets.',
      helpValue: 'FILE',
    }),
    fix: Flags.boolean({
      summary: 'Correct what an installation can correct: it shows the changes and asks.',
      helpGroup: 'CHANGE',
    }),
    ...changeFlags,
  };

  async run(): Promise<Report> {
    const { flags } = await this.parse(Doctor);
    if (flags.yes && !flags.fix)
      throw new UsageError('--yes needs --fix: without it, the doctor changes nothing');
    const loaded = await clusterOf(flags);
    const first = await this.#diagnose(loaded, flags, flags.bundle);
    const bundled = first.bundle ? { bundle: first.bundle } : {};
    if (!flags.fix || !first.diagnosis.findings.some(({ fixable }) => fixable)) {
      if (flags.fix) this.log('There is nothing that an installation could correct.');
      return { ...this.#end(first.diagnosis), ...bundled };
    }
    const intent = { command: 'install', start: first.runs } as const;
    const change = await runChange(this, loaded, flags, { intent, allowAgentReplace: false });
    if (change.changes === 0) return { ...this.#end(first.diagnosis), ...bundled };
    const { diagnosis } = await this.#diagnose(loaded, flags);
    return { ...this.#end(diagnosis), before: first.diagnosis, change, ...bundled };
  }

  async #diagnose(loaded: LoadedCluster, flags: ConnectFlags, bundle?: string) {
    return withSession(this, loaded, flags, async ({ session, program }) => {
      const began = performance.now();
      const examined = await examineCluster(session, program);
      const { findings, runs } = examined;
      const diagnosis: Diagnosis = {
        cluster: session.cluster.name,
        healthy: findings.every(({ severity }) => severity !== 'error'),
        hosts: session.cluster.hosts.length,
        findings,
        seconds: Math.round(performance.now() - began) / 1000,
      };
      this.log(renderDiagnosis(diagnosis));
      if (bundle === undefined) return { diagnosis, runs };
      const { writeSupportBundle } = await import('../../install/operations/support-bundle.ts');
      const bytes = await writeSupportBundle(session, path.resolve(bundle), {
        ...examined,
        diagnosis,
        file: loaded.file,
        made: new Date().toISOString(),
      });
      this.log(`\n${bundle}: a support bundle without secrets, ${Math.ceil(bytes / 1024)} kB`);
      return { diagnosis, runs, bundle: { file: bundle, bytes } };
    });
  }

  #end(diagnosis: Diagnosis): Diagnosis {
    if (!diagnosis.healthy) process.exitCode = EXIT.failed;
    return diagnosis;
  }
}
