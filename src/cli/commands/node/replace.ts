import { Args, Flags } from '@oclif/core';
import { hostNamed } from '../../../cluster/choose-hosts.ts';
import { writeSpec } from '../../../cluster/edge/load.ts';
import { withReplacement } from '../../../cluster/edit-spec.ts';
import { EXIT } from '../../../errors/mesosup-error.ts';
import { isMember, type MemberChange } from '../../../install/member-change.ts';
import { BaseCommand } from '../../base-command.ts';
import { runChange } from '../../change-command.ts';
import type { ChangeReport } from '../../change-report.ts';
import { allowRemoveFlag, changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { refuseOwnQuorum, removeDead, runMember } from '../../member-run.ts';
import { fileOf } from '../../spec-file.ts';

export default class NodeReplace extends BaseCommand {
  static override summary = 'Put a new host in the place of one that will never return.';
  static override description =
    'The old host must be unreachable. Its tasks are replaced, and the new host gets its roles, attributes and flags, and its place in cluster.yaml. A new server of ZooKeeper takes the vote of the old one, and the other members then restart one at a time with its address; tasks continue. Never connect the old host again. If the command fails, run it again to resume.';
  static override examples = [
    '<%= config.bin %> node replace h3 h6',
    '<%= config.bin %> node replace h3 h6 --address 10.0.0.6 --yes',
  ];
  static override enableJsonFlag = true;
  static override args = {
    old: Args.string({
      name: 'OLD',
      description: 'The name of the host in cluster.yaml that is dead.',
      required: true,
      ignoreStdin: true,
    }),
    host: Args.string({
      name: 'NEW',
      description: 'The name of the new host. SSH connects to it unless --address is set.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    address: Flags.string({ summary: 'Address for SSH. Default: the name.', helpValue: 'ADDRESS' }),
    ...changeFlags,
    'allow-remove': allowRemoveFlag,
  };

  async run(): Promise<ChangeReport | { cluster: string; declined: true }> {
    const { args, flags } = await this.parse(NodeReplace);
    const { host: name, old } = args;
    const present = await clusterOf(flags);
    fileOf(present);
    refuseOwnQuorum(present);
    const names = present.cluster.hosts.map((host) => host.name);
    // An earlier run may have written the new host, and not completed its installation.
    const isWritten = names.includes(name) && !names.includes(old);
    const dead = isWritten ? undefined : hostNamed(present.cluster, old);
    const loaded = isWritten
      ? present
      : await clusterOf(flags, (text, file) =>
          withReplacement(text, file, old, { name, address: flags.address }),
        );
    const host = hostNamed(loaded.cluster, name);
    const change: MemberChange = { kind: 'replaces', host: name, old };
    if (dead) {
      const write = () => writeSpec(fileOf(loaded));
      const next = isMember(host) ? { loaded, change } : undefined;
      if (!(await removeDead(this, present, dead, flags, write, next))) {
        this.log('Nothing was changed.');
        process.exitCode = EXIT.failed;
        return { cluster: present.cluster.name, declined: true };
      }
    }
    const allowRemove = flags['allow-remove'] ?? [];
    const asked = { ...flags, yes: flags.yes || !isWritten };
    if (isMember(host)) return runMember(this, loaded, asked, change, { allowRemove });
    return runChange(this, loaded, asked, {
      intent: { command: 'install', start: false, only: [name], allowRemove },
      allowAgentReplace: false,
    });
  }
}
