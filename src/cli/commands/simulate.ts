import { Args, Flags } from '@oclif/core';
import { UsageError } from '../../errors/mesosup-error.ts';
import { type Report, renderReport } from '../../simulator/report.ts';
import { readScenario } from '../../simulator/scenario-text.ts';
import { simulate } from '../../simulator/simulation.ts';
import { fewLines } from '../../text/few-lines.ts';
import { BaseCommand } from '../base-command.ts';
import { displayName, readFileArgument } from '../file-argument.ts';

const LARGEST_SEED = 2 ** 31 - 1;

export default class Simulate extends BaseCommand {
  static override summary = 'Run the scheduler on a simulated cluster with faults, in virtual time.';
  static override description =
    `FILE is a scenario in YAML or JSON: agents, apps in the format of Marathon's v2 API, changes, and the rates of faults. The scheduler's own code makes the decisions; tasks, agents and the master are simulated. The same scenario and seed give the same history. Each step is checked: the scheduler never causes too many or too few instances of an app, no port or resource is allocated twice, and no update is acknowledged before it is stored. At the end, nothing may be lost or left behind. Exits with 1 when a property was violated, and with 2 when the scenario is invalid.

A web app on 50 agents is updated while agents and schedulers fail:

  seconds: 300
  agents:
    - {count: 50, cpus: 4, mem: 8192}
  apps:
    - app: {id: /web, cmd: ./serve, instances: 100, cpus: 0.5, portDefinitions: [{port: 0}]}
      start: [2, 10]
      failureRate: 0.05
  changes:
    - {at: 60, update: /web, fields: {env: {RELEASE: "2"}}}
  faults: {schedulerCrashesPerMinute: 1, partitionsPerMinute: 2, lostUpdates: 0.02}`;
  static override examples = [
    '<%= config.bin %> simulate scenario.yaml',
    '<%= config.bin %> simulate scenario.yaml --seed 7 --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: 'FILE',
      description: 'The scenario file; - reads standard input.',
      required: true,
    }),
  };
  static override flags = {
    seed: Flags.integer({
      summary: "Seed of all random events. Default: the scenario's seed.",
      min: 0,
      max: LARGEST_SEED,
    }),
  };

  async run(): Promise<Report> {
    const { args, flags } = await this.parse(Simulate);
    const text = (await readFileArgument(args.file)).toString('utf8');
    const read = readScenario(text, displayName(args.file));
    if ('problems' in read) throw new UsageError(fewLines(read.problems));
    const report = simulate(read.scenario, flags.seed);
    this.log(renderReport(report));
    if (report.violations.length > 0) process.exitCode = 1;
    return report;
  }
}
