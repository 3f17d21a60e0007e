/** `/metrics/snapshot` of the master. */

import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { fromMilli } from '../../mesos/resources.ts';
import { isActive, isLeader, type Master, seconds } from './model.ts';
import { clusterAmounts } from './state-json.ts';

/** Returns the metrics that schedulers and installers read, with Mesos' names. */
export function metricsJson(master: Master): Record<string, number> {
  const all = [...master.frameworks.values()];
  const agents = [...master.agents.values()];
  const active = agents.filter((agent) => isActive(master, agent)).length;
  const live = all.flatMap((f) => [...f.tasks.values()]);
  const inState = (name: string) => live.filter((t) => t.state === name).length;
  const { total, used } = clusterAmounts(master);
  const out: Record<string, number> = {
    'master/elected': isLeader(master) ? 1 : 0,
    'master/uptime_secs': seconds(master.ports.now() - master.startTime),
    'master/slaves_active': active,
    'master/slaves_connected': agents.filter((a) => a.stream).length,
    'master/slaves_disconnected': agents.filter((a) => !a.stream).length,
    'master/slaves_inactive': agents.length - active,
    'master/slaves_unreachable': master.unreachableAgents.size,
    'master/frameworks_active': all.filter((f) => f.stream).length,
    'master/frameworks_connected': all.filter((f) => f.stream).length,
    'master/frameworks_disconnected': all.filter((f) => !f.stream).length,
    'master/frameworks_inactive': all.filter((f) => !f.stream).length,
    'master/outstanding_offers': master.offers.size,
    'master/tasks_staging': inState('TASK_STAGING'),
    'master/tasks_starting': inState('TASK_STARTING'),
    'master/tasks_running': inState('TASK_RUNNING'),
    'master/tasks_killing': inState('TASK_KILLING'),
    'master/tasks_unreachable': all.reduce((sum, f) => sum + f.unreachableTasks.size, 0),
    'system/cpus_total': cpus().length,
    'system/mem_total_bytes': totalmem(),
    'system/mem_free_bytes': freemem(),
  };
  for (const name of [
    'dropped',
    'error',
    'failed',
    'finished',
    'gone',
    'gone_by_operator',
    'killed',
    'lost',
  ]) {
    out[`master/tasks_${name}`] = 0;
  }
  for (const name of [
    'slave_registrations',
    'slave_reregistrations',
    'slave_removals',
    'valid_status_updates',
  ]) {
    out[`master/${name}`] = 0;
  }
  for (const name of ['cpus', 'mem', 'disk', 'gpus']) {
    const sum = fromMilli(total.scalars.get(name) ?? 0);
    const part = fromMilli(used.scalars.get(name) ?? 0);
    out[`master/${name}_total`] = sum;
    out[`master/${name}_used`] = part;
    out[`master/${name}_percent`] = sum === 0 ? 0 : part / sum;
  }
  for (const [i, period] of ['1min', '5min', '15min'].entries())
    out[`system/load_${period}`] = loadavg()[i] ?? 0;
  if (master.registryKept) {
    // A following master has nothing to recover: it is ready when it knows the leader.
    out['registrar/log/recovered'] = master.leader && !master.recovering ? 1 : 0;
  }
  for (const [name, count] of master.metrics.entries()) out[name] = count;
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}
