import { Flags } from '@oclif/core';
import { EXPORTER_FLAGS, type ExporterFlag, readExporterOptions } from '../../../monitoring/options.ts';
import { BaseCommand } from '../../base-command.ts';
import { runProgram } from '../../run-program.ts';

function flagOf(name: ExporterFlag) {
  const flag = EXPORTER_FLAGS[name];
  const preset = 'preset' in flag ? ` Default: ${flag.preset}.` : '';
  return Flags.string({ summary: `${flag.help}${preset}`, helpValue: flag.value });
}

export default class MonitoringServe extends BaseCommand {
  static override summary = 'Serve the metrics of a Mesos master or agent for Prometheus.';
  static override description =
    'Reads /metrics/snapshot, and /containers of an agent, for each request to /metrics. The metric mesos_up is 0 for what does not answer. Runs until Ctrl-C.';
  static override examples = [
    '<%= config.bin %> monitoring serve --master http://10.0.0.1:5050 --agent http://10.0.0.1:5051',
    '<%= config.bin %> monitoring serve --agent http://10.0.0.1:5051 --credentials-file credentials',
  ];
  static override flags = {
    master: flagOf('master'),
    agent: flagOf('agent'),
    'credentials-file': flagOf('credentials-file'),
    'ca-file': flagOf('ca-file'),
    'cert-file': flagOf('cert-file'),
    'key-file': flagOf('key-file'),
    tls: flagOf('tls'),
    listen: flagOf('listen'),
    'timeout-ms': flagOf('timeout-ms'),
    'most-names': flagOf('most-names'),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitoringServe);
    readExporterOptions(flags);
    await runProgram(this, 'monitoring.js', flags);
  }
}
