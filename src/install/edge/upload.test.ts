import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scripts } from '../../../test/install/hosts.ts';
import type { Host, RunResult } from '../../hosts/host.ts';
import { uploadPayload } from './upload.ts';

const SIZE = 200_000;
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-upload-'));
  file = path.join(directory, 'payload');
  await writeFile(file, Buffer.alloc(SIZE, 'x'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A host that ends the command when it has received a number of bytes, before the input has ended. */
function hostThatTakes(bytes: number, result: Partial<RunResult>): Host {
  return {
    name: 'h1',
    close: async () => {},
    run: (_script, options) =>
      new Promise((resolve, reject) => {
        const input = options?.input;
        if (!(input instanceof Readable)) throw new TypeError('an input was expected');
        let got = 0;
        input.on('error', reject);
        input.on('data', (chunk: Buffer) => {
          got += chunk.length;
          if (got < bytes) return;
          input.destroy();
          resolve({ stdout: '', stderr: '', code: 0, signal: null, ...result });
        });
        options?.onLine?.('send');
      }),
  };
}

test('succeeds if the host has the file before the streams have ended', async () => {
  const seen: number[] = [];
  const sent = await uploadPayload(hostThatTakes(SIZE, {}), scripts, file, 'ab', {
    onProgress: (bytes) => seen.push(bytes),
  });
  expect(sent).toBe(true);
  expect(seen.at(-1)).toBe(SIZE);
});

test('reports the reason if the host stops during an upload', async () => {
  const host = hostThatTakes(1, { code: 1, stderr: 'head: write error: No space left on device\n' });
  await expect(uploadPayload(host, scripts, file, 'ab')).rejects.toMatchObject({
    host: 'h1',
    message: expect.stringContaining('No space left'),
  });
});
