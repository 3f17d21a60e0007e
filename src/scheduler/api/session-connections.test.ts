import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { account } from '../../../test/scheduler/accounts.ts';
import { closing, type Server, SLEEPER, server } from '../../../test/scheduler/api-server.ts';
import { routeUpgrade } from './upgrades.ts';

const APP = { ...SLEEPER, container: { docker: { image: 'redis' } } };

interface Answered {
  status: number;
  headers: IncomingMessage['headers'];
  /** Present for a WebSocket. */
  socket?: Duplex;
  answer: IncomingMessage;
}

interface Browser {
  /** The address of the page. */
  origin: string;
  send(method: string, path: string, body?: unknown, headers?: object): Promise<Answered>;
  cookie: string;
}

/** Listens for one server, and signs in. */
async function signedIn(one: Server): Promise<Browser> {
  await one.api.ready();
  const http = createServer((asked, answer) => one.api.routing(asked, answer));
  http.on('upgrade', (asked, socket, head) => routeUpgrade(one.api, { request: asked, socket, head }));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  closing.push(async () => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const send: Browser['send'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(origin + path, { method, agent: false, headers: { origin, ...headers } });
      const done = (answer: IncomingMessage, socket?: Duplex) =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          answer,
          ...(socket && { socket }),
        });
      sent.on('response', (answer) => done(answer));
      sent.on('upgrade', (answer, socket) => done(answer, socket));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const { headers } = await send('POST', '/v2/session', { user: 'olga', password: 'o' });
  return { origin, send, cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
}

const asWebSocket = (cookie: string, origin: string) => ({
  cookie,
  origin,
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
});

it('ends the event stream and the terminal of a person who signs out, and no other connection', async () => {
  const one = server({ accounts: [account('olga', 'operator', 'o')] });
  const { send, cookie, origin } = await signedIn(one);
  const own = { cookie };
  expect((await send('POST', '/v2/apps', APP, own)).status).toBe(201);
  await one.run();
  const [task] = await one.runner.read((state) => [...state.tasks.keys()]);
  const url = `/v2/tasks/${task}/exec`;
  const created = await send('POST', url, { argv: ['sh'] }, own);
  expect(created.status).toBe(201);
  const exec = String(created.headers.location);

  // A page elsewhere can't begin the terminal.
  for (const page of ['http://127.0.0.1:1', 'null', 'http://evil.example']) {
    expect((await send('GET', exec, undefined, asWebSocket(cookie, page))).status).toBe(403);
  }
  const terminal = await send('GET', exec, undefined, asWebSocket(cookie, origin));
  expect(terminal.status).toBe(101);
  const events = await send('GET', '/v2/events', undefined, own);
  expect(events.headers['content-type']).toBe('text/event-stream');
  const again = await send('POST', '/v2/session', { user: 'olga', password: 'o' });
  const other = String(again.headers['set-cookie']).split(';')[0];
  const untouched = await send('GET', '/v2/events', undefined, { cookie: other });
  const ended = new Set<string>();
  const end = (name: string) => () => void ended.add(name);
  terminal.socket?.on('close', end('terminal')).on('error', () => {});
  terminal.socket?.resume();
  for (const [name, { answer }] of Object.entries({ events, untouched })) {
    answer.on('close', end(name)).on('error', () => {});
    answer.resume();
  }
  expect((await send('DELETE', '/v2/session', undefined, own)).status).toBe(204);
  await expect.poll(() => [...ended].sort(), { timeout: 10_000 }).toEqual(['events', 'terminal']);
  expect((await send('GET', '/v2/events', undefined, own)).status).toBe(401);
  expect((await send('GET', '/v2/apps', undefined, { cookie: other })).status).toBe(200);
  expect(ended.has('untouched')).toBe(false);
});
