/** Answers of a scheduler, for tests of the load balancer. */

import type { BalancedApp, Snapshot } from '../../src/lb/snapshot.ts';

export function snapshotOf(apps: readonly BalancedApp[], more: Partial<Snapshot> = {}): Snapshot {
  return { frameworkId: 'f', connected: true, unanswered: 0, ...more, apps: [...apps] };
}

/** An app with one port, whose tasks are ready at these ports of this host. */
export function balancedApp(
  id: string,
  servicePort: number,
  taskPorts: readonly number[],
  more: Partial<BalancedApp> = {},
): BalancedApp {
  return {
    id,
    run: 1,
    labels: {},
    ports: [{ servicePort, protocol: 'tcp' }],
    tasks: taskPorts.map((port) => ({
      id: `${id}.${port}`,
      state: 'ready',
      addresses: [`127.0.0.1:${port}`],
    })),
    ...more,
  };
}
