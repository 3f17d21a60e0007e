import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, request as requestByTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createTestCa, type Issuing, type TestCa } from '../../../test/support/test-ca.ts';
import { ApiClient, type SendOptions } from '../../client/api-client.ts';
import { agentFor, httpSend } from './http-send.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function listen(listener: RequestListener, server = createServer()): Promise<number> {
  server.on('request', listener);
  server.listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const options = (more: Partial<SendOptions> = {}): SendOptions => ({
  method: 'GET',
  redirect: 'manual',
  headers: {},
  signal: new AbortController().signal,
  ...more,
});

test('sends method, headers and body, and reads the answer', async () => {
  const port = await listen(async (request, response) => {
    const { method, url, headers } = request;
    const body = await text(request);
    response.writeHead(201, 'Made', { 'X-Test': 'a' });
    response.end(
      JSON.stringify({ method, url, length: headers['content-length'], own: headers['x-own'], body }),
    );
  });
  const answer = await httpSend()(
    `http://127.0.0.1:${port}/a?b=c`,
    options({ method: 'DELETE', body: 'ä', headers: { 'X-Own': '1' } }),
  );
  expect([answer.ok, answer.status, answer.statusText, answer.headers.get('x-test')]).toEqual([
    true,
    201,
    'Made',
    'a',
  ]);
  expect(answer.headers.get('x-none')).toBe(null);
  expect(JSON.parse(await answer.text())).toEqual({
    method: 'DELETE',
    url: '/a?b=c',
    length: '2',
    own: '1',
    body: 'ä',
  });
});

test('keeps the connection of requests that read, and makes one for each change', async () => {
  const ports: (number | undefined)[] = [];
  const port = await listen(({ socket }, response) => {
    ports.push(socket.remotePort);
    response.end('x');
  });
  const send = httpSend();
  for (const method of ['GET', 'GET', 'POST', 'PUT']) {
    await (await send(`http://127.0.0.1:${port}/`, options({ method }))).text();
  }
  expect(ports[1]).toBe(ports[0]);
  expect(new Set(ports).size).toBe(3);
});

test('returns a redirect, or refuses it', async () => {
  const port = await listen((_request, response) => {
    response.writeHead(302, { Location: 'http://other/' }).end();
  });
  const url = `http://127.0.0.1:${port}/`;
  const answer = await httpSend()(url, options());
  expect([answer.ok, answer.status, answer.headers.get('Location')]).toEqual([false, 302, 'http://other/']);
  await expect(httpSend()(url, options({ redirect: 'error' }))).rejects.toThrow('redirects again');
});

test('frees the connection of an answer that nobody reads', async () => {
  let made = 0;
  const counted = async (listener: RequestListener) => {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.on('connection', () => {
      made += 1;
    });
    return `http://127.0.0.1:${await listen(listener, server)}`;
  };
  const leader = await listen((_request, response) => response.end('event: end\ndata: {}\n\n'));
  const follower = await counted((request, response) => {
    const Location = `http://127.0.0.1:${leader}${request.url}`;
    response.writeHead(302, { Location, 'Content-Length': 0 }).end();
  });
  const busy = await counted((_request, response) => response.writeHead(503).end('no leader'));
  const send = httpSend();
  for (let i = 0; i < 2; i += 1) {
    const client = new ApiClient({ urls: [busy, follower], fetch: send });
    for await (const _ of client.events('/v2/events', {}, { endsWith: ['end'] }));
  }
  expect(made).toBe(2);
});

test('gives up a connection on which nothing arrives any more', async () => {
  const port = await listen(({ url }, response) => {
    if (url === '/half') response.write('half');
  });
  const send = httpSend({ silentMs: 100 });
  const url = `http://127.0.0.1:${port}`;
  await expect(send(`${url}/none`, options({ method: 'POST' }))).rejects.toThrow('nothing arrived for 0.1 s');
  const half = await send(`${url}/half`, options());
  await expect(half.text()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('ends with the reason of its signal, before the answer and in the middle of it', async () => {
  const waiting = new Set<IncomingMessage>();
  let arrive = (): void => {};
  const port = await listen((request, response) => {
    waiting.add(request);
    if (request.url === '/half') response.write('half');
    arrive();
  });
  const reason = new Error('enough');
  for (const [url, part] of [
    ['/none', 'answer'],
    ['/half', 'text'],
  ]) {
    const controller = new AbortController();
    const arrived = Promise.withResolvers<void>();
    arrive = arrived.resolve;
    const sent = httpSend()(`http://127.0.0.1:${port}${url}`, options({ signal: controller.signal }));
    const ended = part === 'text' ? sent.then((answer) => answer.text()) : sent;
    await arrived.promise;
    if (part === 'text') await sent;
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
  }
  expect(waiting.size).toBe(2);
});

test('streams a body as it arrives, and reports its interruption', async () => {
  const port = await listen((_request, response) => {
    response.write('one');
    setTimeout(() => response.destroy(), 50);
  });
  const { body } = await httpSend()(`http://127.0.0.1:${port}/`, options());
  const reader = body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one');
  await expect(reader?.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('names the reason why there is no connection by its code', async () => {
  await expect(httpSend()('http://127.0.0.1:1/', options())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('verifies each cluster with its own certificates, in the same process', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-tls-'));
  try {
    const made = ['one', 'two'].map((name) => {
      const file = (end: string) => path.join(directory, `${name}.${end}`);
      const what = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=x';
      const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file('key'), '-out', file('crt')];
      execFileSync('openssl', [...what.split(' '), ...names], { stdio: 'ignore' });
      return { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('crt'), 'utf8') };
    });
    const ports = await Promise.all(
      made.map((pair) => listen((_request, response) => response.end('hello'), createSecureServer(pair))),
    );
    const ask = async (ca: string | undefined, port: number | undefined) =>
      (await httpSend({ ca })(`https://127.0.0.1:${port}/`, options())).text();
    const [one, two] = made;
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    // On one connection, whose certificate is watched once.
    const kept = httpSend({ ca: one?.cert });
    for (let i = 0; i < 20; i++) await (await kept(`https://127.0.0.1:${ports[0]}/`, options())).text();
    await setImmediate();
    process.off('warning', warned);
    expect(warnings).toEqual([]);
    expect(await Promise.all([ask(one?.cert, ports[0]), ask(two?.cert, ports[1])])).toEqual([
      'hello',
      'hello',
    ]);
    await expect(ask(one?.cert, ports[1])).rejects.toMatchObject({ code: expect.stringMatching(/CERT/) });
    await expect(ask(undefined, ports[0])).rejects.toMatchObject({ code: expect.stringMatching(/CERT/) });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('asks the proxies of the environment, but not for this machine', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-tls-'));
  try {
    const file = (end: string) => path.join(directory, `one.${end}`);
    const what = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=x';
    const names = ['-addext', 'subjectAltName=DNS:mesos.test', '-keyout', file('key'), '-out', file('crt')];
    execFileSync('openssl', [...what.split(' '), ...names], { stdio: 'ignore' });
    const cert = readFileSync(file('crt'), 'utf8');
    const server = createSecureServer({ cert, key: readFileSync(file('key'), 'utf8') });
    const port = await listen((_request, response) => response.end('safe'), server);
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      asked.push(`${request.method} ${request.url}`);
      const through = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(through).pipe(client);
      });
    });
    const at = await listen((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('plain');
    }, proxy);
    const environment = {
      HTTP_PROXY: `http://127.0.0.1:${at}`,
      https_proxy: `http://127.0.0.1:${at}`,
      NO_PROXY: 'other.test',
    };
    const send = httpSend({ ca: cert, environment });
    const ask = async (url: string, method = 'GET') => (await send(url, options({ method }))).text();
    expect(await ask('http://mesos.test/a')).toBe('plain');
    expect(await ask('http://mesos.test/b', 'POST')).toBe('plain');
    expect(await ask('https://mesos.test/c')).toBe('safe');
    await expect(ask('http://other.test/d')).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
    await expect(ask('http://127.0.0.1:1/e')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(ask('http://localhost:1/f')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const agent = await agentFor('wss://mesos.test/g', { ca: cert, environment });
    const own = requestByTls('https://mesos.test/g', { agent }).end();
    const [answer] = await once(own, 'response');
    expect(await text(answer)).toBe('safe');
    const requests = ['GET http://mesos.test/a', 'POST http://mesos.test/b'];
    expect(asked).toEqual([...requests, 'CONNECT mesos.test:443', 'CONNECT mesos.test:443']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('says which certificate of which host is wrong, and what to do', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-tls-'));
  try {
    const ca = createTestCa(directory);
    const serve = (by: TestCa, issuing: Issuing) => {
      const { cert, key } = by.issue('scheduler', issuing);
      const pair = { cert: readFileSync(cert), key: readFileSync(key) };
      return listen((_request, response) => response.end('hello'), createSecureServer(pair));
    };
    const messageOf = async (port: number): Promise<string> => {
      const send = httpSend({ ca: readFileSync(ca.file, 'utf8'), caFile: '/home/me/ca.pem' });
      const client = new ApiClient({ urls: [`https://127.0.0.1:${port}`], fetch: send });
      const error = await client
        .call('POST', '/v2/apps', { body: {} as never })
        .catch((reason: Error) => reason);
      return (error as Error).message;
    };
    const its = String.raw`the certificate of 127\.0\.0\.1:\d+ \(CN=scheduler, issued by CN=`;
    const foreign = createTestCa(directory, 'foreign-ca');
    const cases: [number, string][] = [
      [
        await serve(ca, { fromDays: -9, untilDays: -2 }),
        `${its}test-ca\\) expired on 20\\d\\d-.*mesosup certs renew`,
      ],
      [
        await serve(ca, { fromDays: 2, untilDays: 9 }),
        `${its}test-ca\\) is not valid yet until 20.*timedatectl`,
      ],
      [
        await serve(ca, { names: ['DNS:h9'] }),
        `${its}test-ca\\) is for h9, not for 127.*mesosup certs renew`,
      ],
      [await serve(foreign, {}), `${its}foreign-ca\\) is not signed by a CA in /home/me/ca.pem.*certs trust`],
      [await listen((_request, response) => response.end('plain')), 'does not answer with TLS.*certs enable'],
    ];
    for (const [port, text] of cases)
      expect(await messageOf(port)).toMatch(new RegExp(`^no scheduler.*${text}`));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
