/**
 * Flags in the spec that a service would probably refuse. Warnings: the program on the host has the last word. Errors:
 * mesosup itself needs them.
 */

import type { MesosFlags, Role } from '../../cluster/cluster.ts';
import { checkSchedulerFlags } from '../../cluster/scheduler-flags.ts';
import { formatPath } from '../../cluster/spec-errors.ts';
import { hostsWith } from '../../cluster/topology.ts';
import type { Facts } from '../facts.ts';
import { missingFlag } from '../mesos-flag-names.ts';
import type { Problem } from '../plan.ts';
import { absolutePath } from '../work-dirs.ts';
import { error, type PreflightInput, warning } from './check.ts';
import { mesosVersion } from './software.ts';

/** Flags of all hosts of a role are told once, of the first of them. */
export function flagCheck(input: PreflightInput): Problem[] {
  const { cluster } = input;
  return [
    ...mesosFlags(input, 'master', 'masterFlags', cluster.masterFlags),
    ...mesosFlags(input, 'agent', 'agentFlags', cluster.agentFlags),
    ...schedulerFlags(input),
  ];
}

function mesosFlags(
  input: PreflightInput,
  role: 'master' | 'agent',
  key: 'masterFlags' | 'agentFlags',
  common: MesosFlags,
): Problem[] {
  const told = (host: string, own: Facts, flags: MesosFlags) =>
    Object.entries(flags).flatMap(([name, value]) => {
      if (name === 'work_dir' && absolutePath(value) === undefined) {
        const message = `${key}.work_dir: "${value}" is not an absolute path`;
        return [error(host, 'flags', message, 'write it from the root on, like /data/mesos')];
      }
      const reason = missingFlag(role, name, mesosVersion(input.cluster, own));
      if (reason === undefined) return [];
      const remedy = `correct it, unless your build of Mesos has it: with an unknown flag the ${role} does not start`;
      return [warning(host, 'flags', `${key}.${name}: ${reason}`, remedy)];
    });
  const hosts = reachedWith(input, role);
  const [first] = hosts;
  return [
    ...(first ? told(first.name, first.own, common) : []),
    ...hosts.flatMap(({ name, own, ...host }) => told(name, own, host[key])),
  ];
}

/** A spec with such flags is refused when it is read; a remembered cluster can be of an older version. */
function schedulerFlags(input: PreflightInput): Problem[] {
  const [first] = reachedWith(input, 'scheduler');
  if (first === undefined) return [];
  return checkSchedulerFlags(input.cluster.schedulerFlags).map(({ path, message }) =>
    warning(
      first.name,
      'flags',
      `${formatPath(['schedulerFlags', ...path])}: ${message}`,
      'correct it in a file and install with --file: the scheduler may not start with it',
    ),
  );
}

function reachedWith({ cluster, facts }: PreflightInput, role: Role) {
  return hostsWith(cluster, role).flatMap((host) => {
    const own = facts.get(host.name);
    return own !== undefined ? [{ ...host, own }] : [];
  });
}
