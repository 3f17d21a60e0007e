/**
 * Upgrades clusters of three hosts with Debian 11 and 13 under load: mesosup, and newer packages of ZooKeeper, Mesos and
 * Docker; in the soak.
 */

import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Lab, startLab } from '../../lab/lab.ts';
import { realDeb } from '../../lab/mesos-deb.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { makeTestImages } from '../support/busybox-image.ts';
import { LabCluster, mesosOf } from '../support/lab-cluster.ts';
import type { LbProcess } from '../support/lb-process.ts';
import { installWith, offerAll, olderProgram, upgradeEverything } from '../support/upgrade-everything.ts';
import { createWebApps, SERVICE_PORTS, startWebBalancer, untilAnswered } from '../support/web-apps.ts';

/** A real package of Mesos is built for Debian 12. */
const inSoak = describe.runIf(process.env.MESOSUP_SOAK_FACTOR !== undefined && realDeb() === undefined);
/** A bound for hangs. */
const LONG_MS = 2_400_000;
const NAMES = ['h1', 'h2', 'h3'];

inSoak.each(['debian-13', 'debian-11'] as const)('%s', (system) => {
  let lab: Lab;
  let cluster: LabCluster;
  let balancer: LbProcess | undefined;

  beforeAll(async () => {
    lab = await startLab({ hosts: NAMES.map(() => ({ system, packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    cluster.commandMs = LONG_MS / 2;
    await makeTestImages();
  }, LONG_MS);
  afterAll(async () => {
    await balancer?.stop();
    await lab?.stop();
  });

  test(
    'everything is upgraded under load: no request fails, and no container restarts',
    async () => {
      const { good, version } = lab.mesos();
      await cluster.writeSpec({ mesos: mesosOf(good, version), hosts: NAMES });
      await installWith(cluster, await olderProgram(lab));

      balancer = await startWebBalancer(cluster);
      await createWebApps(cluster);
      await untilAnswered(SERVICE_PORTS, balancer.log);
      await cluster.writeSpec({ hosts: NAMES });
      const newer = await offerAll(lab);
      const balanced = { ports: SERVICE_PORTS, log: balancer.log };
      await upgradeEverything(cluster, newer, balanced, `upgrade on ${system}`);
    },
    LONG_MS,
  );
});
