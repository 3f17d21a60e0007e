import { Args, Flags } from '@oclif/core';
import { namesIn } from '../../../cluster/rotation.ts';
import { EXIT } from '../../../errors/mesosup-error.ts';
import {
  afterRotation,
  type PhasePlan,
  refusedRotations,
  renderPhases,
} from '../../../install/rotation-phases.ts';
import { BaseCommand } from '../../base-command.ts';
import { changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { keptSecretsOf } from '../../kept-secrets.ts';
import { chooseSecrets, completeRotation, planRotation } from '../../rotate-secrets.ts';

const helpGroup = 'ROTATION';

/** The `--json` output. */
interface RotationReport {
  readonly cluster: string;
  readonly rotates: readonly string[];
  /** Secrets that `--all` leaves out, with the reason. */
  readonly refused: Readonly<Record<string, string>>;
  readonly phases: readonly PhasePlan[];
  /** False: nothing was changed, or the rotation is not complete. */
  readonly complete: boolean;
}

export default class SecretsRotate extends BaseCommand {
  static override summary = 'Replace secrets of a running cluster, without an outage.';
  static override description =
    'Goes through three phases: services accept the new secrets besides the old ones, clients use the new ones, services no longer accept the old ones. In each phase, masters and schedulers restart one by one, and agents a few at a time; containers keep running. Secrets that can\'t be rotated without an outage are refused, with the reason. If a phase fails, run the same command again to resume. "mesosup secrets list" shows the names.';
  static override examples = [
    '<%= config.bin %> secrets rotate --all --dry-run',
    '<%= config.bin %> secrets rotate agent operator --yes',
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    secret: Args.string({ description: 'Secrets to rotate.', ignoreStdin: true }),
  };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    all: Flags.boolean({ summary: 'Rotate all secrets that can be rotated.', helpGroup }),
    'dry-run': Flags.boolean({
      summary: 'Show the phases, and change nothing. Exits with 3 if there are changes.',
      helpGroup,
    }),
    ...changeFlags,
  };

  async run(): Promise<RotationReport> {
    const { argv, flags } = await this.parse(SecretsRotate);
    const loaded = await clusterOf(flags);
    const words = argv.map(String);
    // Before any host is asked.
    chooseSecrets(words, flags.all, refusedRotations(loaded.cluster));
    const kept = await keptSecretsOf(loaded);
    const { wanted, phases, refused } = await planRotation(this, loaded, flags, kept, words);
    const rotates = namesIn(wanted.rotation?.others ?? {});
    const say = (text: string) => this.log(text);
    say(`${kept.rotation ? 'Completes the rotation of' : 'Rotates'} ${rotates.join(', ')}`);
    say(renderPhases(phases));
    if (flags.all)
      for (const [name, why] of Object.entries(refused)) say(`Not rotated: ${name}, because ${why}`);
    for (const line of afterRotation(loaded.cluster, rotates)) say(`Afterwards: ${line}`);
    const report = { cluster: loaded.cluster.name, rotates, refused: flags.all ? refused : {}, phases };
    if (flags['dry-run']) {
      process.exitCode = EXIT.changes;
      return { ...report, complete: false };
    }
    const complete = await completeRotation(this, loaded, flags, wanted, phases.length);
    return { ...report, complete };
  }
}
