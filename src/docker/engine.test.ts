import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DockerError, DockerUnavailableError, dockerSocketPath } from './connection.ts';
import { DockerEngine } from './engine.ts';

let directory: string;
let socket: string;
let server: Server | undefined;
let requests: string[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-engine-'));
  socket = path.join(directory, 'docker.sock');
  requests = [];
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(directory, { recursive: true, force: true });
});

/** An engine of API version 1.47 with the given handler for all other requests. */
async function engineThat(answers: RequestListener): Promise<DockerEngine> {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.url === '/_ping') response.writeHead(200, { 'Api-Version': '1.47' }).end('OK');
    else answers(request, response);
  });
  server.listen(socket);
  await once(server, 'listening');
  return new DockerEngine(socket);
}

describe('the version', () => {
  test('is the engine’s own, requested once', async () => {
    const engine = await engineThat((_request, response) => response.end('[]'));
    expect(await engine.version()).toBe('1.47');
    await engine.listContainers({ a: 'b', c: undefined });
    const filters = encodeURIComponent('{"label":["a=b","c"]}');
    expect(requests).toEqual(['GET /_ping', `GET /v1.47/containers/json?all=true&filters=${filters}`]);
  });

  test('is requested again after a failure', async () => {
    const away = new DockerEngine(socket);
    await expect(away.version()).rejects.toThrow(/is not running.*systemctl start docker/);
    await engineThat(() => {});
    expect(await away.version()).toBe('1.47');
  });

  test('a server that is not Docker is an error', async () => {
    server = createServer((_request, response) => response.end('hello')).listen(socket);
    await once(server, 'listening');
    await expect(new DockerEngine(socket).version()).rejects.toThrow(/is not a Docker engine/);
  });
});

describe('errors', () => {
  test('a refusal has Docker’s message and status', async () => {
    const engine = await engineThat((_request, response) =>
      response.writeHead(409).end('{"message":"port is taken"}'),
    );
    const error = await engine.startContainer('c').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DockerError);
    expect(error).toMatchObject({ message: 'port is taken', status: 409 });
  });

  test('a refusal may have plain text or no text', async () => {
    const bodies = ['no such page\n', ''];
    const engine = await engineThat((_request, response) => response.writeHead(500).end(bodies.shift()));
    await expect(engine.startContainer('c')).rejects.toThrow('no such page');
    await expect(engine.startContainer('c')).rejects.toThrow('Docker answered with status 500');
  });

  test('a missing image or container is undefined or ignored', async () => {
    const engine = await engineThat((_request, response) =>
      response.writeHead(404).end('{"message":"no such"}'),
    );
    expect(await engine.inspectImage('a/b:1')).toBeUndefined();
    expect(await engine.inspectContainer('c')).toBeUndefined();
    await engine.removeContainer('c');
    expect(requests).toContain('DELETE /v1.47/containers/c?force=true&v=true');
    await expect(engine.waitContainer('c', 'not-running').exit).rejects.toThrow('no such');
  });

  test('an interrupted answer is DockerUnavailableError', async () => {
    const engine = await engineThat((_request, response) => {
      response.write('{"status":"Pulling"}\n');
      response.socket?.end();
    });
    await expect(engine.pullImage('x', () => {})).rejects.toThrow(DockerUnavailableError);
    await expect(engine.inspectContainer('x')).rejects.toThrow(DockerUnavailableError);
    await expect(engine.waitContainer('x', 'removed').exit).rejects.toThrow(DockerUnavailableError);
  });

  test('DOCKER_HOST must name a Unix socket', () => {
    expect(dockerSocketPath({})).toBe('/var/run/docker.sock');
    expect(dockerSocketPath({ DOCKER_HOST: 'unix:///run/user/1/docker.sock' })).toBe(
      '/run/user/1/docker.sock',
    );
    expect(() => dockerSocketPath({ DOCKER_HOST: 'tcp://10.0.0.1:2375' })).toThrow(
      /Unset it, or set it to unix:/,
    );
  });
});

describe('pulling', () => {
  test('reports progress, and throws an error that comes inside the stream', async () => {
    const lines = [
      '{"status":"Pulling from a"}',
      '{"status":"Waiting","id":"l1"}',
      '{"error":"no space left"}',
    ];
    const engine = await engineThat((_request, response) => response.end(`${lines.join('\r\n')}\r\n`));
    const progress: unknown[] = [];
    await expect(engine.pullImage('r:5000/a', (p) => progress.push(p))).rejects.toThrow('no space left');
    expect(progress).toEqual([{ status: 'Pulling from a' }, { status: 'Waiting', id: 'l1' }]);
    expect(requests.at(-1)).toBe('POST /v1.47/images/create?fromImage=r%3A5000%2Fa&tag=latest');
  });

  test('stops when it is aborted', async () => {
    const abort = new AbortController();
    const engine = await engineThat((_request, response) => {
      response.write('{"status":"Pulling"}\n');
    });
    const pull = engine.pullImage('a', () => abort.abort(), abort.signal);
    await expect(pull).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('out of memory', () => {
  const answering = (lines: string) => engineThat((_request, response) => response.end(lines));

  test('is found among the past events of the container', async () => {
    const engine = await answering('{"Type":"container","Action":"oom"}\n');
    expect(await engine.ranOutOfMemory('c1', 0)).toBe(true);
    const query = new URL(`http://docker${requests[1]?.slice('GET '.length)}`).searchParams;
    expect(JSON.parse(query.get('filters') ?? '')).toEqual({
      type: ['container'],
      container: ['c1'],
      event: ['oom'],
    });
    expect(query.get('since')).toBe('1');
    expect(Math.abs(Number(query.get('until')) * 1000 - Date.now())).toBeLessThan(60_000);
  });

  test('is not reported without such an event', async () => {
    expect(await (await answering('')).ranOutOfMemory('c1', 0)).toBe(false);
  });
});

describe('logs', () => {
  test('gather records that arrive one by one, and keep their order', async () => {
    const count = 2000;
    const engine = await engineThat(async (_request, response) => {
      for (let i = 0; i < count; i += 1) {
        const content = Buffer.from(`2026-11-29T20:15:00.${String(i).padStart(9, '0')}Z line ${i}\n`);
        const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, content.length]);
        response.write(Buffer.concat([header, content]));
        if (i % 10 === 9) await new Promise(setImmediate);
      }
      response.end();
    });
    const parts: number[] = [];
    const lines: string[] = [];
    for await (const records of engine.logs('c', { tty: false, follow: true })) {
      parts.push(records.length);
      for (const { bytes } of records) lines.push(bytes.toString());
    }
    expect(lines).toEqual(Array.from({ length: count }, (_, i) => `line ${i}\n`));
    expect(parts.length).toBeLessThan(count / 20);
  });
});
