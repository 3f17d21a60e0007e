/**
 * A local image registry with one image, that can misbehave; for local registries the Docker engine needs no
 * certificate.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

export class FakeRegistry {
  /** Paths of the requests, with their methods. */
  readonly requests: string[] = [];
  /** Answers a request instead of the registry if it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean = () => false;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Serves an image with this tar as its only layer, under any name.
   * @param port 0 for any
   */
  static async start(tar: Buffer, port = 0): Promise<FakeRegistry> {
    const layer = gzipSync(tar);
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['true'] },
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      }),
    );
    const descriptor = (mediaType: string, bytes: Buffer) => ({
      mediaType,
      size: bytes.length,
      digest: digestOf(bytes),
    });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: descriptor('application/vnd.docker.container.image.v1+json', config),
        layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)],
      }),
    );
    const blobs = new Map([config, layer, manifest].map((bytes) => [digestOf(bytes), bytes]));
    const registry = new FakeRegistry(createServer());
    const server = registry.#server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const url = request.url ?? '';
      registry.requests.push(`${request.method} ${url}`);
      const name = url.slice(url.lastIndexOf('/') + 1);
      const body = url.includes('/manifests/') ? manifest : (blobs.get(name) ?? Buffer.from('{}'));
      if (registry.intercept(request, response, body)) return;
      response.writeHead(200, {
        'Content-Type': url.includes('/manifests/') ? MANIFEST : 'application/octet-stream',
        'Content-Length': body.length,
        'Docker-Content-Digest': digestOf(body),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return registry;
  }

  /** The registry's part of an image name. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Pulls of tags: the engine begins each with this request. */
  get pulls(): number {
    return this.requests.filter((request) => /^HEAD .*\/manifests\//.test(request)).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
