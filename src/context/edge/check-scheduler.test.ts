import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ApiClient } from '../../client/api-client.ts';
import { checkScheduler } from './check-scheduler.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function clientOf(answer: RequestListener): Promise<ApiClient> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new ApiClient({ urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] });
}

test('accepts a scheduler', async () => {
  await checkScheduler(await clientOf((_, response) => response.end('{"leader":"x"}')));
});

test('gives up on a server that accepts connections and does not answer', async () => {
  const client = await clientOf(() => {});
  await expect(checkScheduler(client, 50)).rejects.toMatchObject({
    name: 'ApiError',
    message: expect.stringContaining('no answer in 0.05 s'),
  });
});

test('gives up on a server whose answer has no end', async () => {
  const client = await clientOf((_, response) => {
    response.write('{');
    const timer = setInterval(() => response.write(' '), 10);
    response.once('close', () => clearInterval(timer));
  });
  await expect(checkScheduler(client, 2000, 200)).rejects.toMatchObject({
    name: 'ApiError',
    message: expect.stringContaining('no complete answer in 0.2 s'),
  });
});
