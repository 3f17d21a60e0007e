import { Args, Flags } from '@oclif/core';
import { ROLES } from '../../../cluster/cluster.ts';
import { writeSpec } from '../../../cluster/edge/load.ts';
import { refuseOther, withHost } from '../../../cluster/edit-spec.ts';
import { isMember } from '../../../install/member-change.ts';
import { BaseCommand } from '../../base-command.ts';
import { runChange } from '../../change-command.ts';
import type { ChangeReport } from '../../change-report.ts';
import { allowRemoveFlag, bundleFlag, changeFlags, updateFlag } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { addMember } from '../../member-run.ts';
import { fileOf } from '../../spec-file.ts';

export default class NodeAdd extends BaseCommand {
  static override summary = 'Add a host to the cluster, and install it.';
  static override description =
    'Writes the host into cluster.yaml; comments and the order of its keys stay. Without --role the host gets an agent, and the other hosts are probed and not changed, except that the schedulers get the credentials of the first load balancer. A host with ZooKeeper or a master changes the lists and quorums of all members, which restart one at a time; tasks continue. If the command fails, run it again to resume.';
  static override examples = [
    '<%= config.bin %> node add h4',
    '<%= config.bin %> node add h4 --attribute rack=b --yes',
    '<%= config.bin %> node add h4 --role lb',
    '<%= config.bin %> node add h4 --role zookeeper,master,scheduler,agent',
  ];
  static override enableJsonFlag = true;
  static override args = {
    host: Args.string({
      name: 'HOST',
      description: 'The name of the new host. SSH connects to it unless --address is set.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    address: Flags.string({ summary: 'Address for SSH. Default: the name.', helpValue: 'ADDRESS' }),
    role: Flags.option({
      options: ROLES,
      summary: 'Roles of the host. Default: agent.',
      helpValue: 'ROLE',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    })(),
    attribute: Flags.string({
      summary: 'A Mesos attribute of the agent. May be repeated.',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...changeFlags,
    'allow-remove': allowRemoveFlag,
    update: updateFlag,
    bundle: bundleFlag,
  };

  async run(): Promise<ChangeReport> {
    const { args, flags } = await this.parse(NodeAdd);
    const { host: name } = args;
    const present = await clusterOf(flags);
    fileOf(present);
    // An earlier run may have written the host, and not completed its installation.
    const there = present.cluster.hosts.find((host) => host.name === name);
    const isThere = there !== undefined;
    const attributes = Object.fromEntries((flags.attribute ?? []).map(attribute));
    const wanted = { name, address: flags.address, roles: flags.role, attributes };
    if (there) refuseOther(there, wanted);
    const loaded = isThere ? present : await clusterOf(flags, (text, file) => withHost(text, file, wanted));
    let isWritten = isThere;
    const before = async () => {
      if (!isWritten) await writeSpec(fileOf(loaded));
      isWritten = true;
    };
    const { 'allow-remove': allowRemove = [], update, bundle } = flags;
    const host = loaded.cluster.hosts.find((one) => one.name === name);
    if (host && isMember(host))
      return addMember(this, loaded, flags, name, { allowRemove, update, bundle, before });
    const { hosts } = loaded.cluster;
    const isFirst = !hosts.some((one) => one.name !== name && one.roles.includes('lb'));
    const isBalancer = flags.role?.includes('lb') === true;
    const schedulers = hosts.filter(({ roles }) => isBalancer && isFirst && roles.includes('scheduler'));
    const only = [...new Set([name, ...schedulers.map((one) => one.name)])];
    return runChange(this, loaded, flags, {
      intent: { command: 'install', start: false, only, allowRemove, update, bundle },
      allowAgentReplace: false,
      before,
    });
  }
}

function attribute(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
