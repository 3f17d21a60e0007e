import { Flags } from '@oclif/core';
import { hostNamed } from '../../../cluster/choose-hosts.ts';
import type { ClusterHost } from '../../../cluster/cluster.ts';
import { type LoadedCluster, writeSpec } from '../../../cluster/edge/load.ts';
import { withoutHost } from '../../../cluster/edit-spec.ts';
import { EXIT, UsageError } from '../../../errors/mesosup-error.ts';
import { removeDeadHost } from '../../../install/operations/dead-host.ts';
import { printable } from '../../../text/printable.ts';
import { BaseCommand } from '../../base-command.ts';
import { runChange } from '../../change-command.ts';
import { withSession } from '../../cluster-session.ts';
import { confirm } from '../../confirm.ts';
import { changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { hostArgument } from '../../host-argument.ts';
import { removeLiving } from '../../remove-living.ts';
import { fileOf } from '../../spec-file.ts';

export default class NodeRemove extends BaseCommand {
  static override summary = 'Remove a host from the cluster: drain it, uninstall it, and edit cluster.yaml.';
  static override description =
    'The other hosts are probed and not changed. Hosts with a master, ZooKeeper or a scheduler are refused, since a quorum would change. With --dead, the host must be unreachable and is not changed: the master removes its agent. If the command fails, run it again to resume.';
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
    refuseMember(host);
    fileOf(present);
    const edited = () => clusterOf(flags, (text, file) => withoutHost(text, file, host.name));
    await edited();
    const forget = async () => {
      // Again: while the agent drained, somebody may have edited the file.
      const without = await edited();
      await writeSpec(fileOf(without));
      const { state, cluster: rest } = without;
      // A host with an agent only has no URL among them.
      await state.keepCluster(rest, (await state.urls()) ?? { schedulers: [], masters: [] });
    };
    const removed = flags.dead
      ? await this.#removeDead(present, host, flags, forget)
      : await this.#removeLiving(present, host, flags, forget);
    this.log(removed ? `${host.name} is no longer a part of ${cluster.name}` : 'Nothing was changed.');
    if (!removed) process.exitCode = EXIT.failed;
    return { cluster: cluster.name, host: host.name, removed };
  }

  #removeLiving(
    present: LoadedCluster,
    host: ClusterHost,
    flags: Parameters<typeof runChange>[2] & { readonly purge: boolean },
    forget: () => Promise<void>,
  ): Promise<boolean> {
    return removeLiving(host, flags, forget, async (intent, yes) => {
      let isDone = false;
      const afterwards = async () => {
        isDone = true;
      };
      const asked = { ...flags, yes };
      const { changes } = await runChange(this, present, asked, {
        intent,
        allowAgentReplace: true,
        afterwards,
      });
      return { changes, isDone };
    });
  }

  #removeDead(
    present: LoadedCluster,
    host: ClusterHost,
    flags: Parameters<typeof runChange>[2],
    forget: () => Promise<void>,
  ): Promise<boolean> {
    return withSession(this, present, flags, ({ session, screen }) => {
      const ask = async (agent: { readonly hostname: string } | undefined) => {
        const tasks =
          agent === undefined
            ? 'the master no longer knows its agent'
            : `the tasks of its agent, ${printable(agent.hostname)}, are replaced`;
        return flags.yes || confirm(`Remove ${host.name} for good? (${tasks})`, screen);
      };
      return removeDeadHost(session, host, ask, forget);
    });
  }
}

/** @throws UsageError for a member of a quorum, and for a scheduler */
function refuseMember({ name, roles }: ClusterHost): void {
  const member = roles.filter((role) => role !== 'agent' && role !== 'lb');
  if (member.length === 0) return;
  throw new UsageError(
    `${name} has the role ${member.join(', ')}: only hosts that are nothing but agents or load balancers can be removed`,
    {
      remedy: `To replace its machine, give the new machine the same name and address, and run: mesosup install. To take only its agent out of service: mesosup node drain ${name}`,
    },
  );
}
