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
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { outDirectoryFlag, putOut } from '../../flags/out-directory.ts';
import { CA_FILE, monitoredCluster, PASSWORD_FILE } from '../../monitored-cluster.ts';
import { userContexts } from '../../user-contexts.ts';

const listFlag = (summary: string, helpValue: string) =>
  Flags.string({ summary, helpValue, multiple: true, multipleNonGreedy: true, delimiter: ',' });

interface Written {
  readonly config: Record<string, unknown>;
}

export default class MonitoringConfig extends BaseCommand {
  static override summary = 'Print the configuration of Prometheus for a cluster.';
  static override description =
    'Names the exporters of masters and agents, the schedulers and the load balancers, and the file of "mesosup monitoring rules". It contains no secret. With monitoring in the cluster file, -o also writes the file of a password that may only read; --password-file and --token-file name other files on the machine of Prometheus.';
  static override examples = [
    '<%= config.bin %> monitoring config -o monitoring',
    '<%= config.bin %> monitoring config --context prod --token-file /etc/prometheus/scheduler-token',
    '<%= config.bin %> monitoring config --schedulers http://s1:8080 --exporters h1:9103,h2:9103 -o monitoring',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    file: specFlags.file,
    name: specFlags.name,
    state: specFlags.state,
    context: Flags.string({
      summary: 'Instead of a cluster file: one of "mesosup context list". Only its schedulers are known.',
      helpValue: 'CONTEXT',
    }),
    label: Flags.string({
      summary: 'Value of the label "cluster". Default: the name of the cluster or context, or mesos.',
    }),
    schedulers: listFlag('Schedulers, also without a cluster file.', 'URL,URL'),
    exporters: listFlag('Addresses of "mesosup monitoring serve".', 'HOST:PORT,HOST:PORT'),
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
    const { file, name, state, schedulers = [], exporters = [], lb = [], out } = flags;
    const isListed = schedulers.length + exporters.length + lb.length > 0;
    const isNamed = [file, name, state].some((one) => one !== undefined);
    const context = flags.context === undefined ? undefined : await userContexts().choose(flags.context);
    const loaded =
      context !== undefined || (isListed && !isNamed) ? undefined : await clusterOf({ file, name, state });
    const known = loaded && (await monitoredCluster(loaded));
    const given = accessOf(flags);
    const access = given ?? (out === undefined ? undefined : known?.access);
    if (access === undefined && (context?.credentials !== undefined || known?.needsAccess)) {
      const write = known?.access ? 'Write the file of a password with -o DIRECTORY, or name' : 'Name';
      throw new UsageError(`the schedulers of ${known?.cluster ?? context?.name} need credentials`, {
        remedy: `${write} a file on the machine of Prometheus with --password-file or --token-file.`,
      });
    }
    const urls = schedulerTargets([...(context?.urls ?? []), ...schedulers], '--schedulers');
    const lbs = lbTargets(lb, '--lb');
    const monitored: Monitored = {
      cluster: flags.label ?? known?.cluster ?? context?.name ?? 'mesos',
      exporters: [...(known?.exporters ?? []), ...exporters.map((text) => parseTarget(text, '--exporters'))],
      schedulers: [...(known?.schedulers ?? []), ...urls.schedulers],
      schedulerScheme: known?.trusted === undefined ? urls.schedulerScheme : 'https',
      ...(known?.trusted !== undefined && { allTls: true }),
      access,
      caFile: flags['ca-file'] ?? (known?.trusted === undefined ? undefined : CA_FILE),
      lbs: [...(known?.lbs ?? []), ...lbs.lbs],
      haproxies: [...(known?.haproxies ?? []), ...lbs.haproxies],
    };
    for (const note of known?.notes ?? []) this.logToStderr(note);
    const config = scrapeConfig(monitored);
    if (out !== undefined || !this.jsonEnabled()) {
      const { stringify } = await import('yaml');
      const text = stringify(config, { lineWidth: 0 });
      if (out !== undefined && given === undefined && known?.password !== undefined)
        await putOut(this, out, { name: PASSWORD_FILE, text: known.password, mode: 0o600 });
      if (out !== undefined && known?.trusted !== undefined && flags['ca-file'] === undefined)
        await putOut(this, out, { name: CA_FILE, text: known.trusted });
      await putOut(this, out, { name: CONFIG_FILE, text });
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
