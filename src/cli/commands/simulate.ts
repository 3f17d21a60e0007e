import { readFile } from 'node:fs/promises';
import { Args, Flags } from '@oclif/core';
import { UsageError } from '../../errors/mesosup-error.ts';
import { type Report, renderReport } from '../../simulator/report.ts';
import { readScenario } from '../../simulator/scenario-text.ts';
import { simulate } from '../../simulator/simulation.ts';
import { BaseCommand } from '../base-command.ts';

const LARGEST_SEED = 2 ** 31 - 1;

export default class Simulate extends BaseCommand {
  static override summary = 'Try the scheduler on a cluster in virtual time, with faults.';
  static override description =
    `FILE holds a scenario in YAML or JSON: agents, apps as Marathon's v2 API takes them, changes, and what goes wrong how often. The scheduler's own code decides; tasks, agents and master are simulated. The same scenario and seed give the same history. At each step it is checked that no app has too many or too few instances because of the scheduler, that no port or resource is given twice, and that no update is acknowledged before it is stored; and in the end that nothing was lost or left behind. Exits with 1 when a property was broken, 2 when the scenario will not do.

A scenario of 50 agents on which a web app is updated while agents and schedulers fail:

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
    file: Args.string({ name: 'FILE', description: 'The scenario.', required: true }),
  };
  static override flags = {
    seed: Flags.integer({
      summary: "What all that happens by chance follows from; the scenario's own by default.",
      min: 0,
      max: LARGEST_SEED,
    }),
  };

  async run(): Promise<Report> {
    const { args, flags } = await this.parse(Simulate);
    const text = await readFile(args.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${args.file} can't be read: ${error.message}`);
    });
    const read = readScenario(text, args.file);
    if ('problems' in read) throw new UsageError(read.problems.join('\n'));
    const report = simulate(read.scenario, flags.seed);
    this.log(renderReport(report));
    if (report.violations.length > 0) process.exitCode = 1;
    return report;
  }
}
