import { Flags } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { CONFIG_FILE } from '../../../monitoring/file-names.ts';
import {
  lbTargets,
  type Monitored,
  parseTarget,
  type SchedulerAccess,
  schedulerTargets,
  scrapeConfig,
} from '../../../monitoring/scrape-config.ts';
import { BaseCommand } from '../../base-command.ts';
import { outDirectoryFlag, putOut } from '../../flags/out-directory.ts';
import { userContexts } from '../../user-contexts.ts';

const listFlag = (summary: string, helpValue: string) =>
  Flags.string({ summary, helpValue, multiple: true, multipleNonGreedy: true, delimiter: ',' });

interface Written {
  readonly config: Record<string, unknown>;
}

export default class MonitoringConfig extends BaseCommand {
  static override summary = 'Print the configuration of Prometheus for a cluster.';
  static override description =
    'Names the exporters of masters and agents, the schedulers and the load balancers, and the file of "mesosup monitoring rules". It contains no secret: --password-file and --token-file name files on the machine of Prometheus.';
  static override examples = [
    '<%= config.bin %> monitoring config --context prod --token-file /etc/prometheus/scheduler-token',
    '<%= config.bin %> monitoring config --schedulers http://s1:8080 --exporters h1:9103,h2:9103 -o monitoring',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    context: Flags.string({
      summary: 'A cluster, one of "mesosup context list": its schedulers.',
      helpValue: 'CONTEXT',
    }),
    name: Flags.string({ summary: 'Value of the label cluster. Default: that of the context, or mesos.' }),
    schedulers: listFlag('Schedulers.', 'URL,URL'),
    exporters: listFlag('Addresses of "mesosup monitoring serve".', 'HOST:PORT,…'),
    lb: listFlag(
      'Hosts of load balancers whose ports 9101 (haproxy) and 9102 Prometheus can reach.',
      'HOST,HOST',
    ),
    user: Flags.string({
      summary: 'User of the API of the schedulers, with --password-file. Default: mesosup.',
    }),
    'password-file': Flags.string({ summary: 'File with the password of the user.', helpValue: 'PATH' }),
    'token-file': Flags.string({
      summary: 'File with a token of the API; the role viewer is enough.',
      helpValue: 'PATH',
    }),
    'ca-file': Flags.string({ summary: 'File with the CA of the schedulers.', helpValue: 'PATH' }),
    out: outDirectoryFlag,
  };

  async run(): Promise<Written> {
    const { flags } = await this.parse(MonitoringConfig);
    const context = flags.context === undefined ? undefined : await userContexts().choose(flags.context);
    const access = accessOf(flags);
    if (context?.credentials !== undefined && access === undefined) {
      throw new UsageError(`the schedulers of ${context.name} need credentials`, {
        remedy: 'Name a file on the machine of Prometheus with --password-file or --token-file.',
      });
    }
    const monitored: Monitored = {
      cluster: flags.name ?? context?.name ?? 'mesos',
      exporters: (flags.exporters ?? []).map((text) => parseTarget(text, '--exporters')),
      ...schedulerTargets([...(context?.urls ?? []), ...(flags.schedulers ?? [])], '--schedulers'),
      access,
      caFile: flags['ca-file'],
      ...lbTargets(flags.lb ?? [], '--lb'),
    };
    const config = scrapeConfig(monitored);
    if (monitored.exporters.length + monitored.schedulers.length + monitored.lbs.length === 0) {
      throw new UsageError('there is nothing to monitor: no cluster and no address is named', {
        remedy: 'Use --context, or --schedulers, --exporters and --lb.',
      });
    }
    if (!this.jsonEnabled()) {
      const { stringify } = await import('yaml');
      await putOut(this, flags.out, { name: CONFIG_FILE, text: stringify(config, { lineWidth: 0 }) });
    }
    return { config };
  }
}

function accessOf(flags: {
  readonly user?: string | undefined;
  readonly 'password-file'?: string | undefined;
  readonly 'token-file'?: string | undefined;
}): SchedulerAccess | undefined {
  const { user, 'password-file': password, 'token-file': token } = flags;
  if (token !== undefined && (password !== undefined || user !== undefined))
    throw new UsageError("--token-file can't be combined with --user and --password-file");
  if (user !== undefined && password === undefined) throw new UsageError('--user needs --password-file');
  if (token !== undefined) return { kind: 'token', file: token };
  return password === undefined ? undefined : { kind: 'password', user: user ?? 'mesosup', file: password };
}
