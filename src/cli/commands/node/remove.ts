import { Flags } from '@oclif/core';
import { hostNamed } from '../../../cluster/choose-hosts.ts';
import type { ClusterHost } from '../../../cluster/cluster.ts';
import { type LoadedCluster, writeSpec } from '../../../cluster/edge/load.ts';
import { withoutHost } from '../../../cluster/edit-spec.ts';
import { EXIT } from '../../../errors/mesosup-error.ts';
import { isMember, type MemberChange } from '../../../install/member-change.ts';
import { BaseCommand } from '../../base-command.ts';
import { type RunFlags, runChange } from '../../change-command.ts';
import { changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { hostArgument } from '../../host-argument.ts';
import { isComplete, refuseOwnQuorum, removeDead, runMember } from '../../member-run.ts';
import { removeLiving } from '../../remove-living.ts';
import { fileOf } from '../../spec-file.ts';

interface Clusters {
  readonly present: LoadedCluster;
  /** Without the host. */
  readonly rest: LoadedCluster;
}

export default class NodeRemove extends BaseCommand {
  static override summary = 'Remove a host from the cluster: drain it, uninstall it, and edit cluster.yaml.';
  static override description =
    'The other hosts are probed and not changed, unless the host has a master, ZooKeeper or a scheduler: then the lists and quorums of the other members change, and they restart one at a time; tasks continue. With --dead, the host must be unreachable and is not changed: the master removes its agent. If the command fails, run it again to resume.';
  static override examples = [
    '<%= config.bin %> node remove h4',
    '<%= config.bin %> node remove h4 --dead --yes',
  ];
  static override enableJsonFlag = true;
  static override args = { host: hostArgument };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    dead: Flags.boolean({ summary: 'The host will never return.', helpGroup: 'CHANGE' }),
    purge: Flags.boolean({
      summary: 'Also remove the data on the host.',
      exclusive: ['dead'],
      helpGroup: 'CHANGE',
    }),
    ...changeFlags,
  };

  async run(): Promise<{ cluster: string; host: string; removed: boolean }> {
    const { args, flags } = await this.parse(NodeRemove);
    const present = await clusterOf(flags);
    const { cluster } = present;
    const host = hostNamed(cluster, args.host);
    if (isMember(host)) refuseOwnQuorum(present);
    fileOf(present);
    const edited = () => clusterOf(flags, (text, file) => withoutHost(text, file, host.name));
    const rest = await edited();
    const forget = async () => {
      // Again: while the agent drained, somebody may have edited the file.
      const without = await edited();
      await writeSpec(fileOf(without));
      const { state, cluster: left } = without;
      // If the host was a member, the run on the other hosts has kept the URLs without it.
      await state.keepCluster(left, (await state.urls()) ?? { schedulers: [], masters: [] });
    };
    const removed = flags.dead
      ? await this.#removeDead({ present, rest }, host, flags, forget)
      : await this.#removeLiving({ present, rest }, host, flags, forget);
    this.log(
      removed
        ? `${host.name} is no longer a part of ${cluster.name}`
        : `${host.name} is still a part of ${cluster.name}`,
    );
    if (!removed) process.exitCode = EXIT.failed;
    return { cluster: cluster.name, host: host.name, removed };
  }

  #removeLiving(
    { present, rest }: Clusters,
    host: ClusterHost,
    flags: RunFlags & { readonly purge: boolean },
    forget: () => Promise<void>,
  ): Promise<boolean> {
    return removeLiving(host, flags, forget, async (intent, yes) => {
      const asked = { ...flags, yes };
      if (intent.command === 'install' && intent.member) {
        const report = await runMember(this, rest, asked, intent.member);
        return { changes: report.changes, isDone: isComplete(report) };
      }
      let isDone = false;
      const afterwards = async () => {
        isDone = true;
      };
      const { changes } = await runChange(this, present, asked, {
        intent,
        allowAgentReplace: true,
        afterwards,
      });
      return { changes, isDone };
    });
  }

  async #removeDead(
    { present, rest }: Clusters,
    host: ClusterHost,
    flags: RunFlags,
    forget: () => Promise<void>,
  ): Promise<boolean> {
    if (!isMember(host)) return removeDead(this, present, host, flags, forget);
    const change: MemberChange = { kind: 'leaves', host: host.name };
    const next = { loaded: rest, change };
    if (!(await removeDead(this, present, host, flags, async () => {}, next))) return false;
    const report = await runMember(this, rest, { ...flags, yes: true }, change);
    if (!isComplete(report)) return false;
    await forget();
    return true;
  }
}
