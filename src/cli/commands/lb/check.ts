import { Flags } from '@oclif/core';
import { readCertificates, readTemplates } from '../../../lb/edge/operator-files.ts';
import { LB_FLAGS, readOptions } from '../../../lb/options.ts';
import { NO_CLAIMS, route } from '../../../lb/routing.ts';
import type { Member, Problem } from '../../../lb/service.ts';
import { snapshotSchema } from '../../../lb/snapshot.ts';
import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';

interface Checked {
  readonly services: readonly {
    readonly app: string;
    readonly port?: number;
    readonly hosts: readonly string[];
    /** Of the deployment group, if it has several. */
    readonly apps?: readonly Member[];
  }[];
  readonly problems: readonly Problem[];
}

const SUMMARY = 'Check the labels of all apps for the load balancer.';

export default class LbCheck extends ApiCommand {
  static override summary = SUMMARY;
  static override description =
    'Lists the service ports and virtual hosts that a load balancer with the same flags serves, and the labels that have no effect. Changes nothing. Exits with 1 if there are problems.';
  static override examples = [
    '<%= config.bin %> lb check',
    '<%= config.bin %> lb check --group external --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    group: Flags.string({ summary: LB_FLAGS.group.help, helpValue: LB_FLAGS.group.value }),
    'certificate-dir': Flags.string({
      summary: LB_FLAGS['certificate-dir'].help,
      helpValue: LB_FLAGS['certificate-dir'].value,
    }),
    'template-dir': Flags.string({
      summary: LB_FLAGS['template-dir'].help,
      helpValue: LB_FLAGS['template-dir'].value,
    }),
    'allow-label-templates': Flags.boolean({ summary: LB_FLAGS['allow-label-templates'].help }),
    'share-hosts': Flags.boolean({ summary: LB_FLAGS['share-hosts'].help }),
    'reserved-ports': Flags.string({
      summary: `${LB_FLAGS['reserved-ports'].help} Default: ${LB_FLAGS['reserved-ports'].preset}.`,
      helpValue: LB_FLAGS['reserved-ports'].value,
    }),
  };

  async run(): Promise<Checked> {
    const { flags } = await this.parse(LbCheck);
    const options = readOptions(flags);
    const { client } = await this.connect(flags);
    const snapshot = snapshotSchema.parse(await client.call('GET', '/v2/endpoints'));
    const certificates = await readCertificates(options.certificateDirectory);
    const routing = {
      ...options,
      certificates: new Set(certificates.keys()),
      templates: await readTemplates(options.templateDirectory),
    };
    const { services, hosts, problems } = route(snapshot, routing, NO_CLAIMS);
    const shown = services.map((service) => ({
      app: service.appId,
      ...(service.port !== undefined && { port: service.port }),
      hosts: hosts.filter((rule) => rule.service === service).map(({ host, prefix }) => host + prefix),
      ...(service.members && { apps: service.members }),
    }));
    for (const { app, port, hosts: names, apps = [] } of shown) {
      const parts = apps.map(({ appId, share }) => (share === undefined ? appId : `${appId} ${share}%`));
      const divided = parts.length > 0 ? [`divided between ${parts.join(' and ')}`] : [];
      const words = [...(port === undefined ? [] : [`port ${port}`]), ...names, ...divided];
      this.log(`${app}: ${words.join(', ')}`);
    }
    for (const { appId, text } of problems) this.logToStderr(`${appId}: ${text}`);
    if (problems.length > 0) {
      this.logToStderr(count(problems.length, 'problem'));
      process.exitCode = 1;
    }
    return { services: shown, problems };
  }
}
