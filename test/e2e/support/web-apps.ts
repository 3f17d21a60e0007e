/** Ten apps with two containers each, which serve HTTP, on the hosts of a lab. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadImage } from '../../lab/images.ts';
import { until } from '../demo-cluster.ts';
import { BUSYBOX } from './busybox-image.ts';
import { underHttpLoad } from './http-load.ts';
import { type LabCluster, PORTS } from './lab-cluster.ts';
import { type LbProcess, startLb } from './lb-process.ts';
import { taskContainers } from './upgrade-watch.ts';

export const APPS = 10;
export const CONTAINERS = 2 * APPS;
/** A bound for hangs. */
const START_MS = 300_000;

/** On this machine. */
export const SERVICE_PORTS: readonly number[] = Array.from({ length: APPS }, (_, i) => 21_800 + i);

/** Creates the apps, and waits until all containers run. @param more fields that the release of the scheduler knows */
export async function createWebApps(cluster: LabCluster, more: object = {}): Promise<void> {
  const { hosts } = cluster.lab;
  const [host] = hosts;
  if (host === undefined) throw new TypeError('the lab has no hosts');
  await Promise.all(hosts.map((one) => loadImage(one, BUSYBOX)));
  const create = async (servicePort: number, i: number) => {
    const app = {
      id: `/web${i}`,
      instances: 2,
      cpus: 0.05,
      mem: 16,
      args: [
        'sh',
        '-c',
        'mkdir -p /tmp/www; echo here >/tmp/www/index.html; exec httpd -f -p 8000 -h /tmp/www',
      ],
      container: {
        docker: { image: BUSYBOX, network: 'BRIDGE' },
        portMappings: [{ containerPort: 8000, servicePort }],
      },
      labels: { HAPROXY_GROUP: 'external' },
      healthChecks: [{ protocol: 'TCP', intervalSeconds: 1, gracePeriodSeconds: 60 }],
      constraints: [['hostname', 'UNIQUE']],
      ...more,
    };
    const made = await cluster.api(host, '/v2/apps', { method: 'POST', body: JSON.stringify(app) });
    if (made.status !== 201) throw new Error(`${app.id}: ${made.status} ${await made.text()}`);
  };
  await Promise.all(SERVICE_PORTS.map(create));
  const run = async () => (await taskContainers(cluster.lab)).length === CONTAINERS;
  await until('all containers run', run, START_MS);
}

/** Starts the project's load balancer with the schedulers of the cluster. */
export async function startWebBalancer(cluster: LabCluster): Promise<LbProcess> {
  const { directory, hosts } = cluster.lab;
  const own = path.join(directory, 'lb');
  await mkdir(own, { recursive: true });
  const credentials = path.join(directory, 'lb-credentials');
  await writeFile(credentials, `mesosup:${(await cluster.secrets()).api}\n`, { mode: 0o600 });
  const { scheme, caFile } = await cluster.scheme();
  const urls = hosts.map(({ address }) => `${scheme}://${address}:${PORTS.scheduler}`);
  const flags = { 'credentials-file': credentials, ...(caFile !== undefined && { 'ca-file': caFile }) };
  return startLb(urls.join(','), own, flags);
}

/**
 * Waits until each port answers.
 *
 * @param log of the load balancer, for the error
 * @param address of the load balancer
 * @throws Error with the last failures
 */
export async function untilAnswered(
  ports: readonly number[],
  log: readonly string[] = [],
  address?: string,
): Promise<void> {
  let failures: readonly string[] = [];
  const answered = async () => {
    ({ failures } = await underHttpLoad(ports, () => sleep(300), address));
    return failures.length === 0;
  };
  await until('all apps answer', answered, START_MS).catch((cause: unknown) => {
    const seen = [...new Set(failures)].slice(0, 5).concat(log.slice(-10));
    throw new Error(`the apps do not answer: ${seen.join('; ')}`, { cause });
  });
}
