/** Bodies of many apps, and bodies over the limit, with real connections. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { account, asUser } from '../../../test/scheduler/accounts.ts';
import { call, closing, get, type Server, server } from '../../../test/scheduler/api-server.ts';
import { forwardRequest } from '../proxy.ts';

const MIB = 1 << 20;
const LIMIT = 2048;

async function portOf(one: Server): Promise<number> {
  await one.api.listen({ host: '127.0.0.1', port: 0 });
  return (one.api.server.address() as AddressInfo).port;
}

/** A follower that forwards to the scheduler at this port. */
async function followerOf(port: number): Promise<number> {
  const leader = { address: `127.0.0.1:${port}`, term: new AbortController().signal };
  const follower = createServer((incoming, answer) =>
    forwardRequest(incoming, answer, leader, { own: 'follower:1' }),
  );
  closing.unshift(async () => {
    follower.close();
    follower.closeAllConnections();
  });
  await once(follower.listen(0, '127.0.0.1'), 'listening');
  return (follower.address() as AddressInfo).port;
}

/** Sends a body as many clients do: they read the answer only after they have sent everything. */
async function send(
  port: number,
  mib: number,
  path: string,
  headers: Readonly<Record<string, string | number>>,
): Promise<[number | undefined, string]> {
  const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path, agent: false, headers });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => {});
  const piece = Buffer.alloc(MIB, 'x');
  for (let sent = 0; sent < mib; sent += 1) {
    await new Promise<void>((resolve, reject) => {
      outgoing.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  outgoing.end();
  const [answer] = await answered;
  let body = '';
  for await (const chunk of answer) body += chunk;
  return [answer.statusCode, JSON.parse(body).message];
}

describe('a body over the limit', () => {
  const tooLarge = [
    413,
    `The body is larger than ${LIMIT} bytes: send fewer apps at once, or start the scheduler with a larger --http_max_body`,
  ];

  it.each([1, 10])(
    'of %i MiB is answered, whatever the client says of its length and connection',
    async (mib) => {
      const direct = await portOf(server({ maxBodyBytes: LIMIT }));
      for (const port of [direct, await followerOf(direct)]) {
        for (const length of [{ 'Content-Length': mib * MIB }, { 'Transfer-Encoding': 'chunked' }]) {
          for (const connection of ['close', 'keep-alive']) {
            const headers = { ...length, Connection: connection };
            expect(await send(port, mib, '/v2/groups', headers)).toEqual(tooLarge);
          }
        }
      }
    },
  );

  it('of 100 MiB is answered through a follower', async () => {
    const port = await followerOf(await portOf(server({ maxBodyBytes: LIMIT })));
    const headers = { 'Content-Length': 100 * MIB, Connection: 'close' };
    expect(await send(port, 100, '/v2/groups', headers)).toEqual(tooLarge);
  });

  it('is answered with other refusals too', async () => {
    const one = server({ maxBodyBytes: LIMIT, accounts: [account('o', 'operator', 'o')] });
    const port = await portOf(one);
    const headers = { 'Content-Length': 10 * MIB, Connection: 'close' };
    expect((await send(port, 10, '/v2/groups', headers))[0]).toBe(401);
    expect((await send(port, 10, '/v2/groups', { ...headers, ...asUser('o', 'o') }))[0]).toBe(413);
    expect((await send(port, 10, '/none', { ...headers, ...asUser('o', 'o') }))[0]).toBe(413);
  });

  it('does not delay an answer to a body within the limit', async () => {
    const one = server({ maxBodyBytes: LIMIT });
    const app = (size: number) => ({ id: '/x', cmd: 'x'.repeat(size) });
    expect((await call(one, 'POST', '/v2/apps', app(3000))).statusCode).toBe(413);
    expect((await call(one, 'POST', '/v2/apps', app(1000))).statusCode).toBe(201);
  });
});

it('takes a group of 2,000 apps by default', async () => {
  const one = server();
  const env = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`VARIABLE_${i}`, 'x'.repeat(50)]));
  const app = (id: string) => ({ id, cmd: 'sleep 1000', cpus: 0.05, mem: 16, env, labels: env });
  const groups = Array.from({ length: 20 }, (_, i) => ({
    id: `g${i}`,
    apps: Array.from({ length: 100 }, (_, j) => app(`x${j}`)),
  }));
  const body = JSON.stringify({ id: '/all', groups });
  expect(body.length).toBeGreaterThan(10 * MIB);
  const answer = await call(one, 'POST', '/v2/groups', body);
  expect(answer.statusCode).toBe(201);
  expect((await get(one, '/v2/apps?fields=id')).json().apps).toHaveLength(2000);
}, 30_000);
