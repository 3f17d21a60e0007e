import { hostNamed } from '../../../cluster/choose-hosts.ts';
import { openTerminal } from '../../../hosts/terminal.ts';
import { BaseCommand } from '../../base-command.ts';
import { withSession } from '../../cluster-session.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { hostArgument } from '../../host-argument.ts';
import { ownArguments, wordsAfterDashes } from '../../usage/command-words.ts';

export default class NodeSsh extends BaseCommand {
  static override summary = "Open a shell on a host of the cluster, with OpenSSH's ssh.";
  static override description =
    'Reaches the host in the same way as all commands: with the user, key, port and bastion of cluster.yaml, and only with a known host key. A command after -- runs instead of the shell. Exits with the exit code of the shell or the command.';
  static override examples = [
    '<%= config.bin %> node ssh h1',
    '<%= config.bin %> node ssh h1 -- journalctl -u mesos-agent -n 50',
  ];
  static override args = {
    host: hostArgument,
  };
  static override flags = { ...specFlags, ...connectFlags };

  async run(): Promise<void> {
    const command = wordsAfterDashes(this.argv);
    const { args, flags } = await this.parse(NodeSsh, [...ownArguments(this.argv)]);
    const loaded = await clusterOf(flags);
    const target = hostNamed(loaded.cluster, args.host);
    process.exitCode = await withSession(this, loaded, flags, ({ session }) =>
      openTerminal(session.hosts, target, command),
    );
  }
}
