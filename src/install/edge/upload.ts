/** Sends files to a host, each in one transfer. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Host, HostError } from '../../hosts/host.ts';
import { assemble, type HostScripts } from '../script/host-scripts.ts';
import { PAYLOADS, UPLOADS } from '../script/places.ts';

export interface UploadOptions {
  /** Called with the bytes sent so far, and the size of the file. */
  readonly onProgress?: (sent: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Directory on the host; defaults to the one in which the apply script expects uploads. */
  readonly directory?: string;
}

/**
 * Sends a file to the directory in which the apply script expects a payload or package with this SHA-256 (hex). Sends
 * nothing when the file is there already.
 * @returns true if the file was sent
 * @throws HostError when the host can't be used, has no space, or received other bytes
 */
export async function uploadPayload(
  host: Host,
  scripts: HostScripts,
  file: string,
  sha256: string,
  options: UploadOptions = {},
): Promise<boolean> {
  const { size } = await stat(file);
  const input = new PassThrough();
  let sent = false;
  const send = () => {
    sent = true;
    let bytes = 0;
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        options.onProgress?.(bytes, size);
        done(null, chunk);
      },
    });
    // A file that can't be read fails the run through its input. Any other early end is no error: the host may have
    // received and checked all bytes before the streams here have closed.
    pipeline(createReadStream(file), counter, input).catch(() => {});
  };
  const result = await host.run(uploadScript(scripts, sha256, size, options.directory ?? UPLOADS), {
    input,
    onLine: (line) => {
      if (line === 'send') send();
    },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  input.destroy();
  if (result.code === 0) return sent;
  const why = result.stderr.trim() || `exit ${result.code ?? result.signal}`;
  throw new HostError(
    host.name,
    'root',
    `${file} could not be sent to ${host.name}: ${why}`,
    `Check that ${PAYLOADS} on the host has free space, then run the same command again.`,
  );
}

function uploadScript(scripts: HostScripts, sha256: string, bytes: number, directory: string): string {
  const values = { DIRECTORY: directory, SHA256: sha256, BYTES: bytes };
  return assemble(scripts, ['upload.sh'], values, ['upload']);
}
