/** Names of the cluster's services, as people and as init systems call them. */

import { DOCKER_SERVICE } from '../wanted/docker.ts';
import { LB_SERVICE } from '../wanted/lb.ts';
import { MONITORING_SERVICE } from '../wanted/monitoring.ts';
import { SCHEDULER_SERVICE } from '../wanted/scheduler.ts';
import { ZOOKEEPER_SERVICE } from '../wanted/zookeeper.ts';

/** By the name for people. A host has at most one of the names of Mesos' services, depending on the package. */
const SERVICES = {
  zookeeper: [ZOOKEEPER_SERVICE],
  master: ['mesos-master'],
  agent: ['mesos-agent', 'mesos-slave'],
  docker: [DOCKER_SERVICE],
  scheduler: [SCHEDULER_SERVICE],
  lb: [LB_SERVICE],
  monitoring: [MONITORING_SERVICE],
  janitor: ['mesosup-janitor'],
} as const satisfies Record<string, readonly string[]>;

export type ServiceName = keyof typeof SERVICES;

export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[];

export function unitsOf(names: readonly ServiceName[]): string[] {
  return names.flatMap((name) => SERVICES[name]);
}

/** The name for people of a service of an init system. */
export function nameOf(service: string): string {
  return SERVICE_NAMES.find((name) => SERVICES[name].some((unit: string) => unit === service)) ?? service;
}
