/** Determines the health of a cluster from the facts of its hosts. */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { lbOptions } from '../cluster/lb-flags.ts';
import { hostsWith, isMonitored } from '../cluster/topology.ts';
import { count } from '../text/count.ts';
import type { Facts } from './facts.ts';
import type { Asked } from './host-facts.ts';
import { mesosLayout } from './layout.ts';
import { DOCKER_SERVICE } from './wanted/docker.ts';
import { HAPROXY_PACKAGE, LB_SERVICE } from './wanted/lb.ts';
import { MONITORING_SERVICE } from './wanted/monitoring.ts';
import { SCHEDULER_SERVICE } from './wanted/scheduler.ts';
import { ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

/** A slower answer is reported. */
const SLOW_MS = 2000;
/** The load balancer asks every 30 s. */
const LB_SILENCE_MS = 120_000;

export interface RoleHealth {
  readonly role: Role | 'docker' | 'monitoring';
  readonly healthy: boolean;
  /** Short text: `leader`, `registered`, `does not answer on port 5050`. */
  readonly state: string;
  /** Empty when it isn't known. */
  readonly version: string;
  /** True of an unhealthy role that may become healthy: its service is not known to be down. */
  readonly mayRecover?: boolean;
}

export interface HostHealth {
  readonly host: string;
  readonly healthy: boolean;
  readonly roles: readonly RoleHealth[];
}

export interface ClusterHealth {
  readonly healthy: boolean;
  /** In the spec's order. */
  readonly hosts: readonly HostHealth[];
  /** Problems of the cluster as a whole, for example that no master leads. */
  readonly problems: readonly string[];
  /** True of an unhealthy cluster that may become healthy: no host is unreachable, and no service known to be down. */
  readonly mayRecover: boolean;
}

/** @param facts by host, without unreachable hosts */
export function clusterHealth(cluster: Cluster, facts: ReadonlyMap<string, Facts>): ClusterHealth {
  const hosts = cluster.hosts.map((host) => hostHealth(cluster, host, facts.get(host.name)));
  const problems = clusterProblems(cluster, facts);
  const healthy = problems.length === 0 && hosts.every((host) => host.healthy);
  const hopeful = hosts.every(
    ({ roles }) => roles.length > 0 && roles.every((one) => one.healthy || one.mayRecover),
  );
  return { healthy, hosts, problems, mayRecover: !healthy && hopeful };
}

/** @param facts undefined for an unreachable host */
export function hostHealth(cluster: Cluster, host: ClusterHost, facts: Facts | undefined): HostHealth {
  if (!facts) return { host: host.name, healthy: false, roles: [] };
  const roles = host.roles.map((role) => roleHealth(cluster, role, facts));
  if (host.roles.includes('agent')) {
    const { running, version } = facts.docker;
    roles.push({ role: 'docker', healthy: running, state: running ? 'running' : 'not running', version });
  }
  if (isMonitored(cluster, host)) roles.push(exporterHealth(facts));
  return { host: host.name, healthy: roles.every((role) => role.healthy), roles };
}

/** Its metrics say what it reads; here only its service counts. */
function exporterHealth({ services }: Facts): RoleHealth {
  const state = services[MONITORING_SERVICE]?.state ?? 'stopped';
  const healthy = state === 'running';
  const mayRecover = state !== 'stopped' && state !== 'failed';
  return { role: 'monitoring', healthy, state, version: '', ...(!healthy && mayRecover && { mayRecover }) };
}

function roleHealth(cluster: Cluster, role: Role, facts: Facts): RoleHealth {
  const asked: Asked = facts[role];
  const slow = (asked.tookMs ?? 0) > SLOW_MS ? `, slow: answered after ${seconds(asked.tookMs)}` : '';
  const service = facts.services[serviceOf(cluster, role, facts)]?.state;
  const mayRecover = service !== 'stopped' && service !== 'failed';
  const result = (healthy: boolean, state: string, version: string): RoleHealth =>
    healthy
      ? { role, healthy, state: `${state}${slow}`, version }
      : { role, healthy, state, version, ...(mayRecover && { mayRecover }) };
  const why = asked.silence === 'timeout' ? ` within ${seconds(asked.tookMs)}` : '';
  const port = role === 'lb' ? lbOptions(cluster.lbFlags).metrics.port : cluster.ports[role];
  const silent = `does not answer on port ${port}${why}`;
  switch (role) {
    case 'zookeeper': {
      const { answers, mode, version } = facts.zookeeper;
      if (!answers) return result(false, silent, version);
      return mode === '' ? result(false, 'answers, but has no quorum', version) : result(true, mode, version);
    }
    case 'master': {
      const { answers, elected, recovered, version, problem } = facts.master;
      if (problem !== '') return result(false, problem, version);
      if (!answers) return result(false, silent, version);
      if (elected && !recovered) return result(false, 'leader, its registry is not recovered yet', version);
      return result(true, elected ? 'leader' : 'standby', version);
    }
    case 'agent': {
      const { answers, registered, version, problem } = facts.agent;
      if (problem !== '') return result(false, problem, version);
      if (!answers) return result(false, silent, version);
      return registered ? result(true, 'registered', version) : result(false, 'not registered yet', version);
    }
    case 'scheduler': {
      const { answers, leads, subscribed, version, problem } = facts.scheduler;
      if (problem !== '') return result(false, problem, version);
      if (!answers) return result(false, silent, version);
      if (leads && !subscribed) return result(false, 'leader, not subscribed yet', version);
      return result(true, leads ? 'leader, subscribed' : 'standby', version);
    }
    case 'lb': {
      const version = /^[\d.]+/.exec(facts.packages[HAPROXY_PACKAGE]?.version ?? '')?.[0] ?? '';
      const { answers, balances, services, problems, answeredAt } = facts.lb;
      if (!answers) return result(false, silent, version);
      if (!balances) return result(false, 'haproxy is not running', version);
      if (facts.clock.now - answeredAt > LB_SILENCE_MS)
        return result(false, 'no scheduler answers; haproxy keeps its servers', version);
      const refused = problems === 0 ? '' : `, ${count(problems, 'problem')} (see: mesosup lb check)`;
      return result(true, `serves ${count(services, 'port')} of apps${refused}`, version);
    }
  }
}

/** The name of the service on the host. */
export function serviceOf(cluster: Cluster, role: RoleHealth['role'], facts: Facts): string {
  const { master, agent } = mesosLayout(cluster, facts);
  return {
    zookeeper: ZOOKEEPER_SERVICE,
    master: master.service,
    agent: agent.service,
    scheduler: SCHEDULER_SERVICE,
    lb: LB_SERVICE,
    docker: DOCKER_SERVICE,
    monitoring: MONITORING_SERVICE,
  }[role];
}

function seconds(milliseconds = 0): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function clusterProblems(cluster: Cluster, facts: ReadonlyMap<string, Facts>): string[] {
  const asked = (role: Role) => hostsWith(cluster, role).map((host) => facts.get(host.name));
  /** True if a host that can't be reached may lead, and another host says that one leads. */
  const ledElsewhere = (role: Role, isLed: (own: Facts) => boolean) =>
    asked(role).includes(undefined) && [...facts.values()].some(isLed);
  const problems: string[] = [];
  const zookeepers = asked('zookeeper');
  if (zookeepers.length > 1) {
    const leaders = zookeepers.filter((f) => f?.zookeeper.mode === 'leader').length;
    const isElsewhere =
      leaders === 0 && ledElsewhere('zookeeper', ({ zookeeper }) => zookeeper.mode === 'follower');
    if (leaders !== 1 && !isElsewhere)
      problems.push(`ZooKeeper has ${leaders === 0 ? 'no' : leaders} leader`);
  }
  const elected = asked('master').filter((f) => f?.master.elected);
  const isMasterElsewhere = elected.length === 0 && ledElsewhere('master', ({ agent }) => agent.registered);
  if (elected.length !== 1 && !isMasterElsewhere) {
    problems.push(
      elected.length === 0 ? 'no Mesos master is elected' : `${elected.length} Mesos masters lead`,
    );
  }
  const masters = hostsWith(cluster, 'master');
  const away = masters.filter(({ name }) => !facts.get(name)?.master.answers).map(({ name }) => name);
  const isRecovered = isMasterElsewhere || elected.some((f) => f?.master.recovered);
  if (away.length > 0 && away.length < masters.length && !isRecovered) {
    problems.push(
      `no master has recovered the registry, and ${away.join(', ')} ${away.length === 1 ? 'does' : 'do'} not answer: Mesos creates the registry of a new cluster only when all masters run`,
    );
  }
  const wanted = asked('agent').length;
  const connected = elected[0]?.master.agentsConnected;
  if (elected.length === 1 && connected !== undefined && connected < wanted) {
    problems.push(`${connected} of ${wanted} agents are connected to the master`);
  }
  const schedulers = asked('scheduler');
  const leading = schedulers.filter((f) => f?.scheduler.leads).length;
  const isSchedulerElsewhere =
    leading === 0 && ledElsewhere('scheduler', ({ scheduler }) => scheduler.leader !== '');
  if (schedulers.length > 0 && leading !== 1 && !isSchedulerElsewhere) {
    problems.push(leading === 0 ? 'no scheduler leads' : `${leading} schedulers lead`);
  }
  return problems;
}
