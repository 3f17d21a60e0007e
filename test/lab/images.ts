/** Docker images for the hosts' own engines. There is no registry, so they come from this machine's engine. */

import { execa } from 'execa';
import { buildRedisImage, DEFAULT_IMAGE } from '../../src/demo/image.ts';
import { imageExists } from './docker.ts';
import type { LabHost } from './host.ts';

/** Makes the demo's Redis image on this machine unless it exists. @returns its name */
export async function ensureRedisImage(): Promise<string> {
  if (!(await imageExists(DEFAULT_IMAGE))) await buildRedisImage(DEFAULT_IMAGE, () => {});
  return DEFAULT_IMAGE;
}

/** Copies an image from this machine's engine into the host's, which must run. */
export async function loadImage(host: LabHost, name: string): Promise<void> {
  await execa('docker', ['save', name], { buffer: false }).pipe('docker', [
    'exec',
    '-i',
    host.container,
    'docker',
    'load',
  ]);
}
