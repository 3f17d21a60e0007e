/** Decides what haproxy should do for a snapshot: the pure part of the balancer. */

import { type Configuration, type ConfigurationOptions, configure, type FileName } from './configuration.ts';
import { type Routing, type RoutingOptions, route } from './routing.ts';
import { haveSamePlaces, runtimeCommands } from './runtime-commands.ts';
import type { Problem } from './service.ts';
import { assignSlots, type Slots } from './slots.ts';
import type { LbState } from './stored-state.ts';

/** What haproxy has been told. */
export interface Running {
  readonly structure: string;
  readonly slots: Slots;
}

/** What is left out, because haproxy refused it. */
export interface LeftOut {
  /** The reason by app. */
  readonly apps: ReadonlyMap<string, string>;
  /** The reason by service port. */
  readonly ports: ReadonlyMap<number, string>;
}

export interface Plan {
  readonly configuration: Configuration;
  readonly routing: Routing;
  readonly slots: Slots;
  readonly problems: readonly Problem[];
}

export interface PlanOptions {
  readonly routing: RoutingOptions;
  readonly configuration: ConfigurationOptions;
  readonly resolve: (host: string) => string | undefined;
  /** Returns the path of a file for a routing. */
  readonly mapFile: (name: FileName, routing: Routing) => string;
}

export function plan({ snapshot, claims, slots }: LbState, leftOut: LeftOut, options: PlanOptions): Plan {
  const apps = snapshot.apps.filter(({ id }) => !leftOut.apps.has(id));
  const all = route({ ...snapshot, apps }, options.routing, claims);
  const services = all.services.map((service) =>
    service.port !== undefined && leftOut.ports.has(service.port) ? { ...service, port: undefined } : service,
  );
  const routing = { ...all, services };
  const assigned = assignSlots(services, slots, options.resolve);
  return {
    routing,
    slots: assigned,
    problems: [
      ...all.problems,
      ...[...leftOut.apps].map(([appId, text]) => ({ appId, text: `is not served: ${text}` })),
      ...all.services.flatMap(({ appId, port }) => {
        const why = port === undefined ? undefined : leftOut.ports.get(port);
        return why === undefined ? [] : [{ appId, text: `port ${port} can't be used: ${why}` }];
      }),
    ],
    configuration: configure(services, routing.hosts, assigned, options.configuration, (name) =>
      options.mapFile(name, routing),
    ),
  };
}

/** @returns the commands that lead to the plan; undefined if it needs a reload */
export function withoutReload(
  running: Running | undefined,
  { configuration, slots }: Plan,
): string[] | undefined {
  if (running?.structure !== configuration.structure || !haveSamePlaces(running.slots, slots))
    return undefined;
  return runtimeCommands(running.slots, slots);
}

/** The part of the plan's servers for which haproxy has places, until it can be reloaded. */
export function slotsBeforeReload(running: Slots, wanted: Slots): Slots {
  return new Map(
    [...running].map(([backend, before]) => {
      const after = wanted.get(backend);
      // A task that has a new place gets it with the reload.
      const slots = before.slots.map((_, i) => ({ server: after?.slots[i]?.server }));
      return [backend, { slots, next: before.next }];
    }),
  );
}
