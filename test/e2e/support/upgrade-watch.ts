/** What happens to a lab's cluster during an upgrade: leaders, requests and containers. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import { type HttpLoad, underHttpLoad } from './http-load.ts';
import { type LabCluster, PORTS } from './lab-cluster.ts';

/** Lists the containers of tasks as `HOST ID START`. */
export async function taskContainers({ hosts }: Lab): Promise<string[]> {
  const list =
    "docker ps -q --no-trunc --filter label=mesosup.task | xargs -r docker inspect -f '{{.Id}} {{.State.StartedAt}}'";
  const all = await Promise.all(
    hosts.map(async (host) => (await host.run(list)).split('\n').map((line) => `${host.name} ${line}`)),
  );
  return all
    .flat()
    .filter((line) => line.split(' ').length > 2)
    .sort();
}

const ROLES = ['zookeeper', 'master', 'scheduler'] as const;

/** Names of hosts; empty while none leads. */
type Leaders = Record<(typeof ROLES)[number], string>;

export async function leadersOf(cluster: LabCluster): Promise<Leaders> {
  const { hosts } = cluster.lab;
  const found = { zookeeper: '', master: '', scheduler: '' };
  await Promise.all(
    hosts.map(async (host) => {
      const srvr = `timeout 1 bash -c 'exec 3<>/dev/tcp/${host.address}/2181; echo srvr >&3; cat <&3'`;
      if ((await host.exec(srvr)).stdout.includes('Mode: leader')) found.zookeeper = host.name;
      const metrics = await cluster
        .operator(host, PORTS.master, '/metrics/snapshot', { signal: AbortSignal.timeout(2000) })
        .then((answer) => answer.json() as Promise<Record<string, number>>)
        .catch(() => ({}) as Record<string, number>);
      if (metrics['master/elected'] === 1) found.master = host.name;
    }),
  );
  for (const host of hosts) {
    const answer = await cluster
      .api(host, '/v2/leader', { signal: AbortSignal.timeout(2000) })
      .catch(() => null);
    if (!answer?.ok) continue;
    const { leader } = (await answer.json()) as { leader: string };
    found.scheduler = hosts.find(({ address }) => leader === `${address}:${PORTS.scheduler}`)?.name ?? '';
    break;
  }
  return found;
}

/**
 * Does the work while the ports get requests, and prints what happened.
 * @param log of the load balancer, printed if a request fails
 */
export async function watched(
  cluster: LabCluster,
  { ports, log }: { readonly ports: readonly number[]; readonly log: readonly string[] },
  title: string,
  work: () => Promise<void>,
): Promise<HttpLoad> {
  const changes = { zookeeper: 0, master: 0, scheduler: 0 };
  let last = await leadersOf(cluster);
  let over = false;
  const watching = (async () => {
    while (!over) {
      await sleep(300);
      const now = await leadersOf(cluster);
      for (const role of ROLES) {
        if (now[role] !== '' && now[role] !== last[role]) {
          changes[role] += 1;
          last = { ...last, [role]: now[role] };
        }
      }
    }
  })();
  const began = performance.now();
  const load = await underHttpLoad(ports, work).finally(async () => {
    over = true;
    await watching;
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const led = Object.entries(changes).map(([role, number]) => `${role} ${number}`);
  console.log(
    `${title}: ${seconds} s, ${load.answered} requests answered, ${load.failures.length} failed; leader changes: ${led.join(', ')}`,
  );
  if (load.failures.length > 0) {
    console.log(`${load.failures.join('\n')}\nThe load balancer's log:\n${log.slice(-60).join('\n')}`);
  }
  return load;
}
