/** Measures a release on this machine: its size, and the time to upload and to unpack it. */

import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { Hosts } from '../../src/hosts/connect.ts';
import type { PayloadArchive } from '../../src/install/edge/payload.ts';
import { hostScripts, loadTemplates, loginScripts } from '../../src/install/edge/templates.ts';
import { uploadPayload } from '../../src/install/edge/upload.ts';

export interface Measured {
  readonly bytes: number;
  /** Seconds for the installer's upload with its checksum, without a network. Undefined without root. */
  readonly upload: number | undefined;
  /** Seconds. */
  readonly unpack: number;
  readonly unpackedBytes: number;
  readonly runtimeBytes: number;
}

/** @param tree the directory for the unpacked archive, which is kept */
export async function measure(archive: PayloadArchive, tree: string): Promise<Measured> {
  const { file, bytes, sha256 } = archive;
  const root = path.resolve(import.meta.dirname, '../..');
  const scripts = hostScripts(root, await loadTemplates(root));
  const hosts = new Hosts(loginScripts(scripts));
  const here = hosts.open({ name: 'here', address: 'here', connection: { kind: 'local' } });
  const received = `${tree}.received`;
  try {
    const upload =
      process.getuid?.() === 0
        ? await seconds(() => uploadPayload(here, scripts, file, sha256, { directory: received }))
        : undefined;
    await rm(tree, { recursive: true, force: true });
    await mkdir(tree, { recursive: true });
    const unpack = await seconds(() => $({ quiet: true })`tar -x --no-same-owner -f ${file} -C ${tree}`);
    const { stdout } = await $({ quiet: true })`du -sb ${tree}`;
    return {
      bytes,
      upload,
      unpack,
      unpackedBytes: Number.parseInt(stdout, 10),
      runtimeBytes: (await stat(path.join(tree, 'bin/node'))).size,
    };
  } finally {
    await hosts.close();
    await rm(received, { recursive: true, force: true });
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Bits per second of a typical network. */
const NETWORK = 100e6;

export function renderMeasured({ bytes, upload, unpack, unpackedBytes, runtimeBytes }: Measured): string {
  const mb = (n: number) => `${(n / 1e6).toFixed(1)} MB`;
  const share = Math.round((runtimeBytes / unpackedBytes) * 100);
  const sent = upload === undefined ? 'not measured (needs root)' : `${upload.toFixed(2)} s here`;
  return [
    `archive ${mb(bytes)}`,
    `upload ${sent} (100 Mbit/s would take ${((bytes * 8) / NETWORK).toFixed(1)} s)`,
    `unpack ${unpack.toFixed(2)} s to ${mb(unpackedBytes)}`,
    `runtime ${mb(runtimeBytes)}, ${share} % of that`,
  ].join('; ');
}
