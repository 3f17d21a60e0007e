import path from 'node:path';
import { Flags } from '@oclif/core';
import { overridesOf } from '../../cluster/host-list.ts';
import { formatSpecError } from '../../cluster/spec-errors.ts';
import type { SpecInput } from '../../cluster/spec-schema.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import { fewLines } from '../../text/few-lines.ts';
import { BaseCommand } from '../base-command.ts';
import { hostFlags, hostOptions } from '../flags/cluster-flags.ts';
import { inputFlag } from '../flags/connect-flags.ts';
import { keyFile } from '../flags/key-file.ts';
import { checkPlace, describeNew, newFileFlags, schemaUrl, writeNew } from '../new-file.ts';
import { type Answers, askForSpec } from '../spec-questions.ts';

export default class Init extends BaseCommand {
  static override summary = 'Ask questions about a cluster and write its cluster.yaml.';
  static override description =
    'A flag answers its question in advance. Without a terminal, or with --no-input, nothing is asked.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --hosts h1,h2,h3 --user admin --no-input',
    '<%= config.bin %> init --local --mesos preinstalled --file here.yaml',
  ];
  static override flags = {
    ...newFileFlags,
    input: inputFlag,
    ...hostFlags,
    mesos: Flags.string({
      options: ['clusterd', 'mesosphere', 'package', 'preinstalled'],
      summary: 'Source of Mesos. Default: clusterd.',
    }),
    'mesos-version': Flags.string({
      summary: 'Version of Mesos, for clusterd and mesosphere. Default: the latest.',
      helpValue: 'VERSION',
    }),
    'mesos-package': Flags.string({
      summary: 'Debian package of Mesos, for --mesos package.',
      helpValue: 'URL|FILE',
    }),
    'mesos-sha256': Flags.string({
      summary: 'SHA-256 of the package, for --mesos package.',
      helpValue: 'HEX',
    }),
    docker: Flags.string({
      options: ['distribution', 'docker-ce', 'preinstalled'],
      summary: 'Source of Docker. Default: distribution.',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    const hosts = hostOptions(flags);
    const directory = path.dirname(path.resolve(flags.file));
    // Before ten questions whose answers would be lost.
    await checkPlace(flags.file, directory, flags.force);
    if (flags.key !== undefined) await keyFile(flags.key, directory);
    const asksQuestions = flags.input && process.stdin.isTTY && process.stdout.isTTY;
    const fromFlags = withoutUndefined({
      name: flags.name,
      hosts: hosts.hosts?.slice(),
      masters: hosts.masters?.slice(),
      agents: hosts.agents?.slice(),
      user: flags.user,
      key: flags.key,
      bastion: flags.bastion,
      mesos: flags.mesos,
      mesosVersion: flags['mesos-version'],
      mesosPackage: flags['mesos-package'],
      mesosSha256: flags['mesos-sha256'],
      docker: flags.docker,
    });
    const answers: Answers = asksQuestions ? await askForSpec(fromFlags, flags.local, directory) : fromFlags;
    if (!answers.hosts && !flags.local) throw new UsageError('name the hosts with --hosts a,b,c, or --local');
    const [{ clusterFrom }, { specText }] = await Promise.all([
      import('../../cluster/spec.ts'),
      import('../../cluster/spec-text.ts'),
    ]);
    const input = specOf(answers, overridesOf({ ...hosts, ...hostAnswers(answers) }));
    const result = clusterFrom(input, 'the answers');
    if (!result.ok) throw new UsageError(fewLines(result.errors.map(formatSpecError)));
    await writeNew(flags.file, specText(input as SpecInput, schemaUrl(this.config.root)), flags.force);
    this.log(describeNew(flags.file, result.value));
    const fileFlag = flags.file === 'cluster.yaml' ? '' : ` --file ${flags.file}`;
    this.log(`Next: ${this.config.bin} plan${fileFlag}, then ${this.config.bin} install${fileFlag} --start`);
  }
}

function hostAnswers({ name, hosts, masters, agents, user, key, bastion }: Answers) {
  return withoutUndefined({ name, hosts, masters, agents, user, key, bastion });
}

function specOf(answers: Answers, overrides: Record<string, unknown>): Record<string, unknown> {
  const { mesos = 'clusterd', mesosVersion, mesosPackage, mesosSha256, docker = 'distribution' } = answers;
  const version = { version: mesosVersion, from: mesosPackage, sha256: mesosSha256 };
  return { ...overrides, mesos: withoutUndefined({ source: mesos, ...version }), docker: { source: docker } };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
