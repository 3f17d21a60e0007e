import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { send } from './http.ts';

const server = createServer((_request, answer) => answer.end('{}'));

afterEach(() => {
  server.close();
});

it('leaves nothing behind in the signal of a session after a request', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i += 1) {
    const { body } = await send({ url, signal });
    body.resume();
  }
  await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]));
});
