import { Flags } from '@oclif/core';
import { LB_FLAGS, type LbValues, readOptions } from '../../../lb/options.ts';
import { BaseCommand } from '../../base-command.ts';
import { runProgram } from '../../run-program.ts';

const SWITCHES = ['allow-label-templates', 'share-hosts', 'checks'] as const;

function flagOf(name: keyof typeof LB_FLAGS) {
  const flag = LB_FLAGS[name];
  const preset = 'preset' in flag ? ` Default: ${flag.preset}.` : '';
  return { summary: `${flag.help}${preset}`, ...('value' in flag && { helpValue: flag.value }) };
}

export default class LbRun extends BaseCommand {
  static override summary = 'Run the load balancer: haproxy in front of all apps.';
  static override description =
    'Configures haproxy from the scheduler: each service port on this host, and the virtual hosts of the labels of marathon-lb. Runs until Ctrl-C. haproxy keeps running then, and the next start continues with it; --stop ends haproxy.';
  static override examples = [
    '<%= config.bin %> lb run --url http://scheduler1:8080,http://scheduler2:8080',
    '<%= config.bin %> lb run --group external --certificate-dir /etc/mesosup/certificates',
    '<%= config.bin %> lb run --stop',
  ];
  static override flags = {
    ...Object.fromEntries(
      (Object.keys(LB_FLAGS) as (keyof typeof LB_FLAGS)[]).map((name) => [
        name,
        SWITCHES.some((one) => one === name) ? Flags.boolean(flagOf(name)) : Flags.string(flagOf(name)),
      ]),
    ),
    stop: Flags.boolean({ summary: 'End haproxy, and with it all connections.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(LbRun);
    readOptions(flags as LbValues);
    await runProgram(this, 'lb.js', flags);
  }
}
