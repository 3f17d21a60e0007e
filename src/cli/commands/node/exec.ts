import { Flags } from '@oclif/core';
import { chooseHosts } from '../../../cluster/choose-hosts.ts';
import { ROLES } from '../../../cluster/cluster.ts';
import { EXIT, UsageError } from '../../../errors/mesosup-error.ts';
import { execOnHosts, type HostOutput } from '../../../install/operations/exec-on-hosts.ts';
import { printableLine } from '../../../text/printable.ts';
import { BaseCommand } from '../../base-command.ts';
import { withSession } from '../../cluster-session.ts';
import { clusterOf, specFlags, splitNames } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { ownArguments, wordsAfterDashes } from '../../usage/command-words.ts';

const INTERRUPTED = 'Interrupted. The command may still run on the hosts.';

export default class NodeExec extends BaseCommand {
  static override summary = 'Run a command as root on many hosts of the cluster at the same time.';
  static override description =
    'Prints each line with the name of its host. No shell reads the command: for a pipe or a variable, run sh -c. Exits with 1 if the command failed on a host, or a host could not be reached; the last lines name these hosts and exit codes.';
  static override examples = [
    '<%= config.bin %> node exec -- uptime',
    '<%= config.bin %> node exec --role master -- systemctl is-active mesos-master',
    "<%= config.bin %> node exec --host h1,h2 -- sh -c 'df -h | grep docker'",
    '<%= config.bin %> node exec --json -- docker version',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    host: Flags.string({
      summary: 'Only these hosts. Default: all.',
      helpValue: 'a,b,c',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    role: Flags.option({
      options: ROLES,
      summary: 'Only hosts with one of these roles. Default: all.',
      helpValue: 'ROLE',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    })(),
  };

  async run(): Promise<{ hosts: readonly HostOutput[] }> {
    const command = wordsAfterDashes(this.argv);
    // The words after -- are no arguments of this command, and a host in front of them must not be ignored.
    const { flags } = await this.parse(NodeExec, [...ownArguments(this.argv)]);
    if (command.length === 0) throw new UsageError('name a command after --: mesosup node exec -- CMD');
    const loaded = await clusterOf(flags);
    const chosen = chooseHosts(loaded.cluster, {
      names: flags.host?.flatMap(splitNames),
      roles: flags.role,
    });
    const names = chosen.map(({ name }) => name);
    const width = Math.max(...names.map((name) => name.length));
    const prefix = (host: string) => `${host.padEnd(width)} | `;
    const hosts = await withSession(
      this,
      loaded,
      flags,
      ({ session, signal }) =>
        execOnHosts(session, names, command, signal, (host, stream, line) => {
          if (this.jsonEnabled()) return;
          process[stream].write(`${prefix(host)}${printableLine(line)}\n`);
        }),
      INTERRUPTED,
    );
    for (const output of hosts) {
      const { host, error } = output;
      if (error) this.logToStderr(`✖ ${error.message}\n  → ${error.remedy}`);
      else if (output.code !== 0) this.logToStderr(`✖ ${host}: ${endOf(output)}`);
    }
    if (hosts.some(({ code }) => code !== 0)) process.exitCode = EXIT.failed;
    return { hosts };
  }
}

function endOf({ code, signal }: HostOutput): string {
  return code === null ? `ended by ${signal}` : `exit code ${code}`;
}
