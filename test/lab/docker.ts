/** Controls the Docker engine that runs the lab's hosts, with its command line client. */

import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** Label of each container, network and volume of a lab; its value is the lab's id. */
export const LAB_LABEL = 'mesosup.lab';

/** @returns the output of the client. @throws Error with the client's message */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await execa('docker', args, { stdin: 'ignore' });
  return stdout;
}

/** Tells if the engine has an image with this name. */
export async function imageExists(name: string): Promise<boolean> {
  const { exitCode } = await execa('docker', ['image', 'inspect', name], { reject: false, stdout: 'ignore' });
  return exitCode === 0;
}

export interface Network {
  name: string;
  /** The first three numbers of its addresses: `10.99.7`. */
  prefix: string;
  /** This machine's own address in it. */
  gateway: string;
}

/** Creates a network in the first unused 10.99.x.0/24. */
export async function createNetwork(labId: string, name: string): Promise<Network> {
  for (let x = 0; x < 256; x += 1) {
    const prefix = `10.99.${x}`;
    const { exitCode, stderr } = await execa(
      'docker',
      ['network', 'create', '--subnet', `${prefix}.0/24`, '--label', `${LAB_LABEL}=${labId}`, name],
      { reject: false },
    );
    if (exitCode === 0) return { name, prefix, gateway: `${prefix}.1` };
    if (!/overlaps/i.test(stderr)) throw new Error(`docker network create ${name}: ${stderr}`);
  }
  throw new Error('no network 10.99.x.0/24 is free; see docker network ls');
}

const TRIES = 60;
const RETRY_MS = 500;

/**
 * Removes every container, volume and network of a lab. Another process may do the same concurrently: Docker then refuses
 * until the other's removal is done.
 */
export async function removeObjects(labId: string): Promise<void> {
  const kinds = [
    { list: ['ps', '-a'], remove: ['rm', '-f', '-v'] },
    { list: ['network', 'ls'], remove: ['network', 'rm'] },
    { list: ['volume', 'ls'], remove: ['volume', 'rm', '-f'] },
  ];
  for (const { list, remove } of kinds) {
    for (let tries = 1; ; tries += 1) {
      const names = await docker(...list, '-q', '--filter', `label=${LAB_LABEL}=${labId}`);
      if (names === '') break;
      const { exitCode, stderr } = await execa('docker', [...remove, ...names.split('\n')], {
        reject: false,
      });
      if (exitCode === 0) continue;
      if (tries >= TRIES) throw new Error(`the rest of lab ${labId} can't be removed: ${stderr}`);
      await sleep(RETRY_MS);
    }
  }
}

/** Lists the ids of all labs that the engine knows. */
export async function labsWithObjects(): Promise<string[]> {
  const format = ['--filter', `label=${LAB_LABEL}`, '--format', `{{.Label "${LAB_LABEL}"}}`];
  const lists = await Promise.all([
    docker('ps', '-a', ...format),
    docker('network', 'ls', ...format),
    docker('volume', 'ls', ...format),
  ]);
  return [...new Set(lists.flatMap((list) => list.split('\n')).filter(Boolean))];
}
