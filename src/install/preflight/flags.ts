/**
 * Checks flags in the spec that a service would probably reject. Most problems are warnings, since only the program on
 * the host knows its flags. A flag that mesosup itself needs is an error.
 */

import type { MesosFlags, Role } from '../../cluster/cluster.ts';
import { checkSchedulerFlags } from '../../cluster/scheduler-flags.ts';
import { formatPath } from '../../cluster/spec-errors.ts';
import { hostsWith } from '../../cluster/topology.ts';
import type { Facts } from '../facts.ts';
import { explainMissingFlag } from '../mesos-flag-names.ts';
import type { Problem } from '../plan.ts';
import { absolutePath } from '../work-dirs.ts';
import { error, type PreflightInput, warning } from './check.ts';
import { mesosVersion } from './software.ts';

/** A flag of a role is reported once, for the first host with that role. */
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
  const problemsOf = (host: string, own: Facts, flags: MesosFlags) =>
    Object.entries(flags).flatMap(([name, value]) => {
      if (name === 'work_dir' && absolutePath(value) === undefined) {
        const message = `${key}.work_dir: "${value}" is not an absolute path`;
        return [error(host, 'flags', message, 'Use an absolute path such as /data/mesos.')];
      }
      const reason = explainMissingFlag(role, name, mesosVersion(input.cluster, own));
      if (reason === undefined) return [];
      const remedy = `Correct it, unless your build of Mesos has this flag. The ${role} does not start with an unknown flag.`;
      return [warning(host, 'flags', `${key}.${name}: ${reason}`, remedy)];
    });
  const hosts = reachedWith(input, role);
  const [first] = hosts;
  return [
    ...(first ? problemsOf(first.name, first.own, common) : []),
    ...hosts.flatMap(({ name, own, ...host }) => problemsOf(name, own, host[key])),
  ];
}

/** Reading a spec rejects such flags already; a stored cluster may come from an older version without that check. */
function schedulerFlags(input: PreflightInput): Problem[] {
  const [first] = reachedWith(input, 'scheduler');
  if (first === undefined) return [];
  return checkSchedulerFlags(input.cluster.schedulerFlags).map(({ path, message }) =>
    warning(
      first.name,
      'flags',
      `${formatPath(['schedulerFlags', ...path])}: ${message}`,
      'Correct it in a cluster file and install with --file; the scheduler may not start with it.',
    ),
  );
}

function reachedWith({ cluster, facts }: PreflightInput, role: Role) {
  return hostsWith(cluster, role).flatMap((host) => {
    const own = facts.get(host.name);
    return own !== undefined ? [{ ...host, own }] : [];
  });
}
