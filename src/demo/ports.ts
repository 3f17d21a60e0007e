import { readFile } from 'node:fs/promises';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { Range } from '../mesos/types.ts';

const LISTEN = '0A';
/** Number of host ports that each agent of the demo offers. */
const BLOCK = 100;
const FIRST_BLOCK = 31000;
const LAST_PORT = 61000;

/** TCP ports in LISTEN state, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningPorts(table: string): number[] {
  const ports: number[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    const port = local?.split(':')[1];
    if (state === LISTEN && port) ports.push(Number.parseInt(port, 16));
  }
  return ports;
}

/** The first free port from `preferred` upwards. */
export function freePort(preferred: number, used: ReadonlySet<number>): number {
  let port = preferred;
  while (used.has(port)) port += 1;
  return port;
}

/**
 * Disjoint blocks of unused host ports for the agents, from 31000 upwards.
 *
 * @throws MesosupError if there are not enough free blocks below 61000
 */
export function portBlocks(agents: number, used: ReadonlySet<number>): Range[] {
  const blocks: Range[] = [];
  for (let begin = FIRST_BLOCK; blocks.length < agents; begin += BLOCK) {
    const end = begin + BLOCK - 1;
    if (end > LAST_PORT)
      throw new MesosupError(
        `not enough free ports: ${agents} agents need ${agents} blocks of ${BLOCK} free ports between 31000 and 61000`,
      );
    const taken = Array.from({ length: BLOCK }, (_, i) => begin + i).some((port) => used.has(port));
    if (!taken) blocks.push({ begin, end });
  }
  return blocks;
}

/** The TCP ports of this machine that are in use. */
export async function portsInUse(): Promise<Set<number>> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  return new Set(tables.flatMap(listeningPorts));
}
