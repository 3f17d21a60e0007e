/** A host's whole wanted state. */

import { mesosLayout } from '../layout.ts';
import { type Resource, resourceId } from '../resources/registry.ts';
import { type Render, render } from '../templates.ts';
import { addressOf, topologyOf, UnknownAddressError } from '../topology.ts';
import { base, currentPayload } from './base.ts';
import type { Context, Part, WantedInput } from './context.ts';
import { docker } from './docker.ts';
import { executor } from './executor.ts';
import { mesosAgent } from './mesos-agent.ts';
import { mesosMaster } from './mesos-master.ts';
import { mesosPackages } from './mesos-package.ts';
import { scheduler } from './scheduler.ts';
import { zookeeper } from './zookeeper.ts';

/** In the order in which services start: ZooKeeper finds its quorum while Docker, which takes longest, starts. */
const PARTS: readonly ((context: Context) => Part)[] = [
  base,
  zookeeper,
  docker,
  mesosPackages,
  executor,
  mesosMaster,
  mesosAgent,
  scheduler,
  currentPayload,
];

/**
 * What the host should have, in the order it is made: repositories, packages, configuration, services. Each resource
 * is there once.
 * @throws UnknownAddressError when the host or one that it has to reach has no known address
 * @throws TypeError when the host has no facts
 */
export function wantedResources({ templates, ...input }: WantedInput): Resource[] {
  return resourcesWith(input, (path, data) => render(templates, path, data));
}

/** The same with texts from elsewhere than the templates. */
export function resourcesWith(input: Omit<WantedInput, 'templates'>, texts: Render): Resource[] {
  const own = input.facts.get(input.host.name);
  if (own === undefined) throw new TypeError(`nothing is known of ${input.host.name}`);
  const address = addressOf(input.cluster, input.host, input.facts);
  if (address === undefined) throw new UnknownAddressError(input.host.name);
  const topology = topologyOf(input.cluster, input.facts);
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
