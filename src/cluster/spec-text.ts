/** Writes a `cluster.yaml` for people: the chosen keys, and the other keys as comments. */

import { stringify } from 'yaml';
import type { SpecInput } from './spec-schema.ts';

/** @param schema URL of the JSON Schema for editors */
export function specText(spec: SpecInput, schema: string): string {
  const parts = [
    `# yaml-language-server: $schema=${schema}
# A Mesos cluster. "mesosup plan" shows the changes to its hosts, "mesosup install --start" makes them.`,
    `# Name of the cluster: of its state on this machine, of the Mesos cluster, and in labels of containers.
${block({ name: spec.name ?? 'mesosup' })}`,
    `# clusterd (the maintained Mesos), mesosphere (old packages), package (from: URL or file, sha256: …) or preinstalled.
# The first two can have a repository: { debian, ubuntu, key, fingerprint }, for example a mirror.
${block({ mesos: spec.mesos ?? { source: 'clusterd' } })}${versionHint(spec.mesos)}`,
    `# distribution (docker.io), docker-ce (Docker's own packages) or preinstalled.
${block({ docker: spec.docker ?? { source: 'distribution' } })}`,
    sshPart(spec.ssh),
    `# Roles: zookeeper, master, scheduler, agent, lb. If no host has roles, all hosts are agents, and the first three are also
# masters with ZooKeeper and scheduler (of one or two hosts, the first is also master and scheduler).
# A host can have more keys: ${EXAMPLE}
${block({ hosts: spec.hosts })}`,
    `# Flags of every Mesos master, every agent and the scheduler, without leading dashes. An empty value is a switch.
${tableOr('masterFlags', spec.masterFlags, 'max_completed_frameworks: 50')}
${tableOr('agentFlags', spec.agentFlags, 'gc_delay: 2days')}
${tableOr('schedulerFlags', spec.schedulerFlags, 'failover_timeout: 604800')}`,
    ...(spec.lbFlags ? [block({ lbFlags: spec.lbFlags })] : []),
    ...(spec.monitoring ? [block({ monitoring: spec.monitoring })] : []),
    spec.ports
      ? block({ ports: spec.ports })
      : '# ports: { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 }',
    ...(spec.zookeeper
      ? [
          `# A ZooKeeper that mesosup does not manage, with the path of the masters.\n${block({ zookeeper: spec.zookeeper })}`,
        ]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

const EXAMPLE =
  '{ name: a, address: 10.0.0.1, attributes: { rack: r1 }, resources: { cpus: 4 }, ssh: { user: root } }';

function block(value: object): string {
  return stringify(value, { lineWidth: 0 }).trimEnd();
}

function versionHint(mesos: SpecInput['mesos']): string {
  if (mesos && (mesos.source !== 'clusterd' || mesos.version !== undefined)) return '';
  return '\n  # version: 1.11.0-0.9.0';
}

function sshPart(ssh: SpecInput['ssh']): string {
  const head = "# SSH connection to the hosts. Missing values are taken from OpenSSH's configuration.";
  return ssh && Object.keys(ssh).length > 0
    ? `${head}\n${block({ ssh })}`
    : `${head}\n# ssh: { user: root, port: 22, key: ~/.ssh/id_ed25519, bastion: admin@jump }`;
}

function tableOr(name: string, flags: Record<string, string> | undefined, example: string): string {
  return flags && Object.keys(flags).length > 0 ? block({ [name]: flags }) : `# ${name}: { ${example} }`;
}
