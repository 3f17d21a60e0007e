/** The wanted state of a host. */

import { mesosLayout } from '../layout.ts';
import { type Resource, resourceId } from '../resources/registry.ts';
import { type Render, render } from '../templates.ts';
import { addressOf, factsOf, topologyOf, UnknownAddressError } from '../topology.ts';
import { base, currentPayload } from './base.ts';
import type { Context, Part, WantedInput } from './context.ts';
import { docker } from './docker.ts';
import { executor } from './executor.ts';
import { lb } from './lb.ts';
import { mesosAgent } from './mesos-agent.ts';
import { mesosMaster } from './mesos-master.ts';
import { mesosPackages } from './mesos-package.ts';
import { monitoring } from './monitoring.ts';
import { scheduler } from './scheduler.ts';
import { tls } from './tls.ts';
import { zookeeper } from './zookeeper.ts';

/** In the order in which services start: ZooKeeper forms its quorum while Docker starts, which is slow. */
const PARTS: readonly ((context: Context) => Part)[] = [
  base,
  tls,
  zookeeper,
  docker,
  mesosPackages,
  executor,
  mesosMaster,
  mesosAgent,
  scheduler,
  lb,
  monitoring,
  currentPayload,
];

/**
 * Returns the wanted resources of the host without duplicates, in the order in which they are made: repositories,
 * packages, configuration, services.
 * @throws UnknownAddressError when the address of the host, or of a host that it must reach, isn't known
 * @throws TypeError when the host has no facts
 */
export function wantedResources({ templates, ...input }: WantedInput): Resource[] {
  return resourcesWith(input, (path, data) => render(templates, path, data));
}

/** Like `wantedResources`, with texts from another source than the templates. */
export function resourcesWith(input: Omit<WantedInput, 'templates'>, texts: Render): Resource[] {
  const own = factsOf(input.facts, input.host.name);
  const address = addressOf(input.cluster, input.host, input.facts);
  if (address === undefined) throw new UnknownAddressError(input.host.name);
  const topology = topologyOf(input.cluster, input.facts, input.secrets);
  const layout = mesosLayout(input.cluster, own);
  const context = { ...input, own, address, topology, layout, render: texts };
  const parts = PARTS.map((part) => part(context));
  const all = [
    ...parts.flatMap((part) => part.repositories ?? []),
    ...parts.flatMap((part) => part.packages ?? []),
    ...parts.flatMap((part) => part.configuration ?? []),
    ...parts.flatMap((part) => part.services ?? []),
  ];
  return [...new Map(all.map((resource) => [resourceId(resource), resource])).values()];
}
