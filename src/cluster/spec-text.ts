/** A `cluster.yaml` for people: what was chosen, with the rest beside it as comments. */

import { stringify } from 'yaml';
import type { SpecInput } from './spec-schema.ts';

/** @param schema where editors find the JSON Schema */
export function specText(spec: SpecInput, schema: string): string {
  const parts = [
    `# yaml-language-server: $schema=${schema}
# A Mesos cluster. "mesosup plan" shows what is to be done to its hosts, "mesosup install --start" does it.`,
    `# Of its state on this machine, of the Mesos cluster, and on its containers.
${block({ name: spec.name ?? 'mesosup' })}`,
    `# clusterd (the maintained Mesos), mesosphere (old packages), package (from: URL or file, sha256: …) or preinstalled.
# The first two take a repository: { debian, ubuntu, key, fingerprint } for a mirror of theirs.
${block({ mesos: spec.mesos ?? { source: 'clusterd' } })}${versionHint(spec.mesos)}`,
    `# distribution (docker.io), docker-ce (Docker's own packages) or preinstalled.
${block({ docker: spec.docker ?? { source: 'distribution' } })}`,
    sshPart(spec.ssh),
    `# Roles: zookeeper, master, scheduler, agent. Where no host names any, the first three (of one or two: the first)
# are masters with ZooKeeper and scheduler, and all are agents.
# A host can have more: ${EXAMPLE}
${block({ hosts: spec.hosts })}`,
    `# Flags for every Mesos master and agent and for the scheduler, without dashes; an empty value is a switch.
${tableOr('masterFlags', spec.masterFlags, 'max_completed_frameworks: 50')}
${tableOr('agentFlags', spec.agentFlags, 'gc_delay: 2days')}
${tableOr('schedulerFlags', spec.schedulerFlags, 'failover_timeout: 604800')}`,
    spec.ports
      ? block({ ports: spec.ports })
      : '# ports: { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 }',
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
  const head = "# How SSH reaches the hosts; what is missing is left to OpenSSH's configuration.";
  return ssh && Object.keys(ssh).length > 0
    ? `${head}\n${block({ ssh })}`
    : `${head}\n# ssh: { user: root, port: 22, key: ~/.ssh/id_ed25519, bastion: admin@jump }`;
}

function tableOr(name: string, flags: Record<string, string> | undefined, example: string): string {
  return flags && Object.keys(flags).length > 0 ? block({ [name]: flags }) : `# ${name}: { ${example} }`;
}
