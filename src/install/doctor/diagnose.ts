/** Joins what the doctor's checks, the preflight, the health and the drift say about a cluster. */

import { count } from '../../text/count.ts';
import { clusterHealth } from '../health.ts';
import { idParts } from '../item.ts';
import type { Problem } from '../plan.ts';
import { CLUSTER, STARTED } from '../script/places.ts';
import { certificates } from './certificate-checks.ts';
import { type DoctorInput, type Finding, finding, type Patient, type Read } from './finding.ts';
import { disks, docker, keys, names, orphans, remains } from './host-checks.ts';
import { kernel } from './kernel-checks.ts';
import { largePackets } from './network-checks.ts';
import { guarded, health, leaders, mtus, reach, services, zookeeper } from './service-checks.ts';
import { snapshots } from './snapshot-checks.ts';

export interface DiagnoseInput extends Read {
  /** Problems of the preflight. */
  readonly preflight: readonly Problem[];
}

const CHECKS: readonly ((patient: Patient) => Finding[])[] = [
  remains,
  disks,
  names,
  docker,
  services,
  zookeeper,
  health,
  reach,
  largePackets,
  guarded,
  orphans,
  kernel,
  keys,
  certificates,
  snapshots,
];

/** Checks of the preflight that this one replaces, or that matter only to an installation. */
const NOT_OF_PREFLIGHT = ['dpkg', 'quorum', 'start'];

/** @returns errors before warnings, within these by host in the spec's order; those of the cluster come first */
export function diagnose(input: DiagnoseInput): Finding[] {
  const { cluster, facts, examinations } = input;
  const found = [
    ...input.unreachable.map((problem) => ({ ...problem, evidence: [], fixable: false })),
    ...stopped(input),
    ...cluster.hosts.flatMap((host) => {
      const own = facts.get(host.name);
      const seen = examinations.get(host.name);
      return own && seen ? CHECKS.flatMap((check) => check({ ...input, host, own, seen })) : [];
    }),
    ...input.preflight
      .filter(({ check }) => !NOT_OF_PREFLIGHT.includes(check))
      .map((problem) => ({ ...problem, evidence: [], fixable: false })),
    ...mtus(input),
    ...leaders(input),
    ...agentsOnLeave(input),
  ];
  const all = [...found, ...consequences(input, found), ...drift(input, found)];
  const order = ['', ...cluster.hosts.map(({ name }) => name)];
  const rank = ({ severity, host }: Finding) =>
    (severity === 'error' ? 0 : order.length) + Math.max(0, order.indexOf(host));
  return all.toSorted((a, b) => rank(a) - rank(b));
}

/** Hosts of the cluster that were never installed, or are stopped. */
function stopped({ cluster, facts }: DoctorInput): Finding[] {
  return cluster.hosts.flatMap(({ name }) => {
    const own = facts.get(name)?.mesosup;
    if (own === undefined || own.started || own.run?.alive) return [];
    if (own.cluster === '') {
      return [
        finding(name, 'absent', 'the host is not installed', 'Run: mesosup install', {
          fixable: true,
          evidence: [`${CLUSTER}: missing`],
        }),
      ];
    }
    if (own.cluster !== cluster.name) return [];
    return [
      finding(name, 'stopped', `${cluster.name} is stopped on this host`, 'Run: mesosup start', {
        severity: 'warning',
        evidence: [`${STARTED}: missing`],
      }),
    ];
  });
}

/** Problems of the cluster as a whole, unless it is stopped. */
function consequences({ cluster, facts }: DiagnoseInput, found: readonly Finding[]): Finding[] {
  if (![...facts.values()].some(({ mesosup }) => mesosup.started)) return [];
  const causes = found.some(({ severity }) => severity === 'error');
  const { problems, hosts } = clusterHealth(cluster, facts);
  const evidence = hosts.flatMap(({ host, roles }) =>
    roles.filter(({ healthy }) => !healthy).map(({ role, state }) => `${host}: ${role} ${state}`),
  );
  return problems.map((message) =>
    finding(
      '',
      'cluster',
      message,
      causes
        ? 'Fix the errors of the hosts first.'
        : 'Read the logs of the service on its hosts: mesosup logs',
      { evidence },
    ),
  );
}

/** Agents that an operator took out of service. */
function agentsOnLeave({ cluster, facts, agents = [] }: DiagnoseInput): Finding[] {
  return agents
    .filter(({ duty }) => duty !== 'active')
    .map(({ id, hostname, duty }) => {
      const host = cluster.hosts.find(({ name }) => facts.get(name)?.agent.id === id)?.name;
      return finding(
        host ?? '',
        'drained',
        `the agent ${hostname} gets no tasks: it is ${duty}`,
        `Put it back into service: mesosup node undrain ${host ?? hostname}`,
        { severity: 'warning', evidence: [`agent ${id}`] },
      );
    });
}

/** Differences from the cluster file that no other finding explains. */
function drift({ drift: plan }: DiagnoseInput, found: readonly Finding[]): Finding[] {
  return (plan?.hosts ?? []).flatMap(({ host, items }) => {
    const own = found.filter((one) => one.host === host && one.fixable);
    if (own.some(({ check }) => check === 'absent')) return [];
    const said = own.map(({ message }) => message);
    const explained = (id: string) => {
      const { kind, name } = idParts(id);
      return kind === 'service' && said.some((text) => text.includes(`the service ${name} `));
    };
    const others = items.filter(({ id }) => !explained(id));
    if (others.length === 0) return [];
    const message = `the host differs from the cluster file in ${count(others.length, 'point')}`;
    return [
      finding(
        host,
        'drift',
        message,
        'See them with: mesosup plan --diff  Correct them with: mesosup install',
        {
          severity: 'warning',
          evidence: others.map(({ title }) => title),
          fixable: true,
        },
      ),
    ];
  });
}
