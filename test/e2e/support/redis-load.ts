/** Sends requests to the instances of an app on lab hosts, as a load balancer does that follows the endpoints. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabHost } from '../../lab/host.ts';
import type { LabCluster } from './lab-cluster.ts';

export interface Load {
  readonly answered: number;
  /** Texts of failed requests. */
  readonly failures: readonly string[];
}

const CLIENTS = 4;
/** Milliseconds for which the client uses endpoints before it asks again; shorter than a drain. */
const FRESH_MS = 300;
const PATIENCE_MS = 5000;

/** Sends requests while the body runs. @param hosts whose schedulers are asked for endpoints */
export async function underLoad(
  cluster: LabCluster,
  hosts: readonly LabHost[],
  app: string,
  body: () => Promise<void>,
): Promise<Load> {
  const failures: string[] = [];
  let answered = 0;
  let over = false;
  let targets = await targetsOf(cluster, hosts, app);
  const refresh = async () => {
    while (!over) {
      await sleep(FRESH_MS);
      // The last list serves while no scheduler answers, as a load balancer's does.
      targets = await targetsOf(cluster, hosts, app).catch(() => targets);
    }
  };
  const client = async (number: number) => {
    for (let turn = number; !over; turn += 1) {
      const target = targets[turn % targets.length];
      if (!target) failures.push('there is no endpoint');
      else {
        const failure = await ping(target.host, target.port);
        if (failure === undefined) answered += 1;
        else failures.push(`${target.host}:${target.port}: ${failure}`);
      }
      await sleep(10);
    }
  };
  const running = [refresh(), ...Array.from({ length: CLIENTS }, (_, i) => client(i))];
  try {
    await body();
  } finally {
    over = true;
    await Promise.all(running);
  }
  return { answered, failures };
}

async function targetsOf(cluster: LabCluster, hosts: readonly LabHost[], app: string) {
  const asked = hosts.map((host) => cluster.endpoints(host, app));
  return Promise.any(asked);
}

/** @returns the reason of a failure */
function ping(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = '';
    const end = (failure: string | undefined) => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(PATIENCE_MS, () => end(`no answer in ${PATIENCE_MS} ms`));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('closed'));
    socket.on('data', (chunk) => {
      answer += chunk;
      if (answer.startsWith('+PONG')) end(undefined);
    });
  });
}
