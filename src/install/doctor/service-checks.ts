/** Looks for faults of the services, and between them. */

import type { Role } from '../../cluster/cluster.ts';
import { count } from '../../text/count.ts';
import { hostHealth, type RoleHealth, serviceOf } from '../health.ts';
import type { ServiceFacts } from '../host-facts.ts';
import { nameOf } from '../logs/services.ts';
import { addressOf, serversIn } from '../topology.ts';
import { DOCKER_SERVICE } from '../wanted/docker.ts';
import { ZOOKEEPER_DATA } from '../wanted/zookeeper.ts';
import { type DoctorInput, type Finding, finding, type Patient } from './finding.ts';
import { dialsOf } from './request.ts';

const NAMES: Readonly<Record<RoleHealth['role'], string>> = {
  zookeeper: 'ZooKeeper',
  master: 'the Mesos master',
  agent: 'the Mesos agent',
  scheduler: 'the scheduler',
  lb: 'the load balancer',
  docker: 'Docker',
  monitoring: 'the exporter of metrics',
};

/** Texts in logs of services whose cause is known, each with what to do. */
const KNOWN_CAUSES: readonly { readonly text: RegExp; readonly cause: string; readonly remedy: string }[] = [
  {
    text: /unknown flag '?([\w-]+)/i,
    cause: 'it does not know a flag that it was given',
    remedy: 'Remove the flag from masterFlags or agentFlags in the cluster file, then run: mesosup install',
  },
  {
    text: /No space left on device/i,
    cause: 'its disk is full',
    remedy: 'Free disk space on the host, then run: mesosup start',
  },
  {
    text: /Address already in use|EADDRINUSE|port \d+ on \S+ is in use by another program/i,
    cause: 'another program uses its port',
    remedy: 'Find the program with: ss -ltnp  Stop it, then run: mesosup start',
  },
  {
    text: /Incompatible agent info|EXIT with status 1:.*(?:attributes|resources)/i,
    cause: 'its attributes or resources differ from those in its work directory',
    remedy: 'Run: mesosup install --diff  It shows what changed, and what the change ends.',
  },
];

/** Begins the state of a role whose service does not answer. */
const SILENT = 'does not';

/** Lines of a service's log that are shown. */
const LAST_LINES = 5;

/** Restarts after which a service that is starting counts as failed. */
const MANY_RESTARTS = 3;

/** Last lines of a log in which a cause is recent. */
const RECENT_LINES = 12;

/** True of an unhealthy service that is between two failures: it may run for a moment each time. */
function restartsInVain(
  found: ServiceFacts | undefined,
  { state, healthy }: RoleHealth,
  log: readonly string[] = [],
): boolean {
  if (healthy || found === undefined || found.restarts < MANY_RESTARTS) return false;
  if (found.state !== 'running') return found.state === 'starting';
  const last = log.slice(-RECENT_LINES);
  return state.startsWith(SILENT) && KNOWN_CAUSES.some(({ text }) => last.some((line) => text.test(line)));
}

/** Services that should run and do not. */
export function services({ cluster, host, own, seen }: Patient): Finding[] {
  if (!own.mesosup.started) return [];
  return hostHealth(cluster, host, own).roles.flatMap((roleHealth) => {
    const { role, healthy, state } = roleHealth;
    const service = serviceOf(cluster, role, own);
    const found = own.services[service];
    const isStarting = found?.state === 'starting';
    const { evidence, known } = explain(found, seen.logs[service]);
    const isRestarting = restartsInVain(found, roleHealth, seen.logs[service]);
    if ((found?.state === 'running' || isStarting) && !isRestarting) {
      const slow =
        isStarting && !healthy
          ? [
              finding(
                host.name,
                'health',
                `${NAMES[role]} is starting: ${state}`,
                `Run the doctor again in a minute. If it stays so, read its log: ${logCommand(host.name, service)}`,
                { severity: 'warning', evidence },
              ),
            ]
          : [];
      return [...slow, ...maskedOrDisabled(host.name, service, found.enabled)];
    }
    // A preinstalled Docker may run without a service of this name.
    const isForeign = service === DOCKER_SERVICE && cluster.docker.kind === 'preinstalled';
    if (isForeign && found === undefined && own.docker.running) return [];
    const how =
      found === undefined
        ? 'is not installed'
        : isRestarting
          ? 'fails again and again'
          : found.state === 'failed'
            ? 'has failed'
            : 'is stopped';
    return [
      finding(
        host.name,
        'service',
        `the service ${service} (${NAMES[role]}) ${how}${known ? `: ${known.cause}` : ''}`,
        known?.remedy ??
          (isRestarting ? `Read its log: ${logCommand(host.name, service)}` : 'Start it: mesosup start'),
        // An installation leaves a service that is starting to the init system.
        { evidence, fixable: known === undefined && !isRestarting },
      ),
    ];
  });
}

/** Finds a known cause in the log of a service. The evidence begins with its line, and ends with the last lines. */
function explain(found: ServiceFacts | undefined, log: readonly string[] = []) {
  const known = KNOWN_CAUSES.find(({ text }) => log.some((line) => text.test(line)));
  const cause = log.findLast((line) => known?.text.test(line));
  const end = log.slice(-LAST_LINES).filter((line) => line !== cause);
  return { known, evidence: [...(cause === undefined ? [] : [cause]), ...restartsOf(found), ...end] };
}

function restartsOf(found: ServiceFacts | undefined): string[] {
  return found?.restarts ? [`restarted ${count(found.restarts, 'time')} by the init system`] : [];
}

function logCommand(host: string, service: string): string {
  return `mesosup logs ${host} --service ${nameOf(service)}`;
}

function maskedOrDisabled(host: string, service: string, enabled: string): Finding[] {
  if (enabled !== 'disabled' && enabled !== 'masked') return [];
  return [
    finding(
      host,
      'boot',
      `the service ${service} runs, but is ${enabled}: it will not start when the host restarts`,
      'Run: mesosup install',
      { fixable: true, evidence: [`systemctl is-enabled ${service}: ${enabled}`] },
    ),
  ];
}

/** Services that run, but do not work. */
export function health({ cluster, host, own, seen }: Patient): Finding[] {
  if (!own.mesosup.started) return [];
  return hostHealth(cluster, host, own).roles.flatMap((roleHealth) => {
    const { role, healthy, state } = roleHealth;
    const service = serviceOf(cluster, role, own);
    const found = own.services[service];
    // The other check reports a service that does not run, and names the reason.
    if (healthy || found?.state !== 'running') return [];
    if (restartsInVain(found, roleHealth, seen.logs[service])) return [];
    const what = state.startsWith(SILENT) ? state : `is not healthy: ${state}`;
    return [
      finding(
        host.name,
        'health',
        `${NAMES[role]} runs, but ${what}`,
        `Read its log: ${logCommand(host.name, service)}`,
        { evidence: [...restartsOf(found), ...(seen.logs[service] ?? []).slice(-LAST_LINES)] },
      ),
    ];
  });
}

export function zookeeper({ cluster, facts, host, own, seen }: Patient): Finding[] {
  const server = seen.zookeeper;
  if (server === undefined || !own.mesosup.started) return [];
  const found: Finding[] = [];
  const address = addressOf(cluster, host, facts);
  const wanted = serversIn(own).find((one) => one.address === address)?.id;
  // A single server has no ensemble, and needs no id.
  if (wanted !== undefined && server.myid !== String(wanted)) {
    const evidence = [`${ZOOKEEPER_DATA}/myid: ${server.myid || '(missing)'}`];
    const message = `ZooKeeper's id is ${server.myid || 'missing'}, but the ensemble knows this server as ${wanted}`;
    found.push(finding(host.name, 'myid', message, 'Run: mesosup install', { evidence, fixable: true }));
  }
  const { averageLatency = 0, outstanding = 0 } = server;
  if (averageLatency > SLOW_MS || outstanding > MANY_WAITING) {
    found.push(
      finding(
        host.name,
        'zookeeper-slow',
        `ZooKeeper is slow: requests take ${averageLatency} ms on average, and ${outstanding} are waiting`,
        `Its disk is probably busy: look at it with iostat or vmstat, and move ${ZOOKEEPER_DATA} to a disk of its own.`,
        {
          severity: 'warning',
          evidence: [`mntr: zk_avg_latency ${averageLatency}, zk_outstanding_requests ${outstanding}`],
        },
      ),
    );
  }
  return found;
}

/** In a healthy ensemble on a busy machine, 250 ms were measured. */
const SLOW_MS = 1000;
const MANY_WAITING = 500;

/** Servers that answer on their own host, but not to this host. */
export function reach({ cluster, facts, host, seen }: Patient): Finding[] {
  const broken = dialsOf(cluster, host, facts).flatMap((dial) => {
    const made = seen.dials.find(({ address, port }) => address === dial.address && port === dial.port);
    return made === undefined || made.result === 'open' ? [] : [{ ...dial, result: made.result }];
  });
  return [...Map.groupBy(broken, (dial) => dial.host)].map(([other, dials]) => {
    const address = dials[0]?.address ?? '';
    const ports = dials.map(({ port }) => port).join(', ');
    const silent = dials.every(({ result }) => result === 'timeout');
    return finding(
      host.name,
      'reach',
      `it can't connect to ${other} (${address}) at port ${ports}, though the server there answers on its own host`,
      silent
        ? `A firewall probably drops packets. On ${other}, allow TCP to port ${ports} from ${host.name}; see: nft list ruleset`
        : `Check routes and firewalls between the hosts; test it on ${host.name} with: nc -vz ${address} ${dials[0]?.port}`,
      { evidence: dials.map(({ port, role, result }) => `${NAMES[role]} ${address}:${port}: ${result}`) },
    );
  });
}

/** Services that answer anyone. */
export function guarded({ cluster, host, seen }: Patient): Finding[] {
  const ports = Object.entries(cluster.ports) as [Exclude<Role, 'lb'>, number][];
  return ports.flatMap(([role, port]) => {
    const status = seen.guarded[port] ?? 0;
    if (status < 200 || status >= 300) return [];
    return finding(
      host.name,
      'open',
      `${NAMES[role]} answers anyone: it asks for no credentials at port ${port}`,
      'Remove the flags that turn authentication off from the cluster file, then run: mesosup install',
      { severity: 'warning', evidence: [`GET without credentials: HTTP ${status}`] },
    );
  });
}

/** Interfaces with different maximum packet sizes, which lose large packets. */
export function mtus({ examinations }: DoctorInput): Finding[] {
  const known = [...examinations].flatMap(([host, { mtu }]) => (mtu === undefined ? [] : [{ host, mtu }]));
  const groups = [...Map.groupBy(known, ({ mtu }) => mtu).values()].toSorted((a, b) => b.length - a.length);
  const usual = groups[0]?.[0]?.mtu;
  return groups
    .slice(1)
    .flatMap((group) =>
      group.map(({ host, mtu }) =>
        finding(
          host,
          'mtu',
          `its network interface has an MTU of ${mtu}, the other hosts have ${usual}: large packets may be lost`,
          'Set the same MTU on all hosts.',
          { severity: 'warning', evidence: known.map((one) => `${one.host}: ${one.mtu}`) },
        ),
      ),
    );
}

/** Schedulers that disagree on their leader. */
export function leaders({ cluster, facts }: DoctorInput): Finding[] {
  const known = [...facts].flatMap(([host, { scheduler }]) =>
    scheduler.answers && scheduler.leader !== '' ? [{ host, leader: scheduler.leader }] : [],
  );
  const leaders = new Set(known.map(({ leader }) => leader));
  if (leaders.size < 2) return [];
  return [
    finding(
      '',
      'leader',
      `the schedulers of ${cluster.name} disagree on their leader`,
      'Wait a few seconds and run the doctor again. If it stays so, restart the service mesosup-scheduler on the host that differs.',
      { evidence: known.map(({ host, leader }) => `${host}: ${leader}`) },
    ),
  ];
}
