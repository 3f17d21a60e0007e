/**
 * Upgrades a cluster of three hosts under load from release 0.1.0, with newer packages of ZooKeeper, Mesos and Docker;
 * in the soak. Skipped in a checkout without the history.
 */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { buildReleased } from '../../support/released.ts';
import { until } from '../demo-cluster.ts';
import { makeTestImages } from '../support/busybox-image.ts';
import { startHaproxyFor } from '../support/haproxy.ts';
import { LabCluster, mesosOf } from '../support/lab-cluster.ts';
import { installWith, offerAll, payloadOf, upgradeEverything } from '../support/upgrade-everything.ts';
import { APPS, CONTAINERS, createWebApps, untilAnswered } from '../support/web-apps.ts';

const inSoak = describe.runIf(process.env.MESOSUP_SOAK_FACTOR !== undefined);
/** A bound for hangs. */
const LONG_MS = 2_400_000;
const NAMES = ['h1', 'h2', 'h3'];
/** The agents of 0.1.0 leave this support on, and Mesos then needs cgroups v1. */
const AGENTS = { agentFlags: { systemd_enable_support: 'false' } };

inSoak('release 0.1.0', () => {
  let lab: Lab;
  let cluster: LabCluster;
  let released: string | undefined;
  let stopHaproxy: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    lab = await startLab({ hosts: NAMES.map(() => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    cluster.commandMs = LONG_MS / 2;
    await makeTestImages();
    released = await buildReleased(path.join(lab.directory, 'released'));
  }, LONG_MS);
  afterAll(async () => {
    await stopHaproxy?.();
    await lab?.stop();
  });

  /** From the first scheduler that answers. 0.1.0 does not have what the project's load balancer reads. */
  async function endpoints(): Promise<Record<string, string[]>> {
    for (const host of lab.hosts) {
      const answer = await cluster
        .api(host, '/v1/endpoints', { signal: AbortSignal.timeout(2000) })
        .catch(() => null);
      if (!answer?.ok) continue;
      const lines = (await answer.text()).split('\n').map((line) => line.split(/\s+/).filter(Boolean));
      return Object.fromEntries(lines.flatMap(([app, , ...all]) => (app ? [[app, all.sort()]] : [])));
    }
    throw new Error('no scheduler answers');
  }

  test(
    'its cluster, with ten apps behind haproxy, is upgraded: no request fails, and no container restarts',
    async ({ skip }) => {
      if (released === undefined) return skip('this checkout does not have the commit of release 0.1.0');
      const { good, version } = lab.mesos();
      await cluster.writeSpec({ mesos: mesosOf(good, version), hosts: NAMES, ...AGENTS });
      await installWith(cluster, released);
      const before = await payloadOf(lab.hosts[0] as LabHost);

      await createWebApps(cluster);
      // Read once: a new leader of 0.1.0 lists no task with a health check before its first result. No task moves.
      const servers = await until(
        'all tasks are listed',
        async () => {
          const found = await endpoints();
          return Object.values(found).flat().length === CONTAINERS && found;
        },
        LONG_MS,
      );
      const never = (async function* () {})();
      const apps = Array.from({ length: APPS }, (_, i) => `web${i}`);
      const haproxy = await startHaproxyFor(apps, async () => servers, never, lab.directory);
      stopHaproxy = haproxy.stop;
      const ports = haproxy.urls.map((url) => Number(new URL(url).port));
      await untilAnswered(ports);

      await cluster.writeSpec({ hosts: NAMES, ...AGENTS });
      const newer = await offerAll(lab);
      await upgradeEverything(cluster, newer, { ports, log: [] }, 'upgrade from 0.1.0');
      for (const host of lab.hosts) expect(await payloadOf(host)).not.toBe(before);
    },
    LONG_MS,
  );
});
