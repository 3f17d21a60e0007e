import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, request as requestByTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestCa, type IssuedFiles, type TestCa } from '../../test/support/test-ca.ts';
import { createTransport } from '../tls/connect.ts';
import type { TlsFiles } from '../tls/settings.ts';
import { forwardRequest, type Leader } from './proxy.ts';
import { answerOf } from './upgrade.ts';

type Handler = (request: IncomingMessage, answer: ServerResponse) => void;

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const forever = new AbortController().signal;

/** Starts a follower of a leader. @returns its URL */
async function follower(address: string, term = forever): Promise<string> {
  const leader: Leader = { address, term };
  return `http://${await serve((incoming, answer) => forwardRequest(incoming, answer, leader, { own: 'follower:1' }))}`;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of message) body += chunk;
  return body;
}

it('forwards a request and its answer unchanged, except hop-by-hop headers', async () => {
  let heard: Record<string, unknown> = {};
  const url = await follower(
    await serve(async (incoming, answer) => {
      heard = {
        ...incoming.headers,
        method: incoming.method,
        url: incoming.url,
        body: await bodyOf(incoming),
      };
      answer.writeHead(418, 'Short and stout', { 'X-Own': 'yes', Connection: 'close, X-Hop', 'X-Hop': '1' });
      answer.end('tea');
    }),
  );
  const outgoing = request(`${url}/v1/x?a=%20b`, {
    method: 'POST',
    headers: {
      Host: 'scheduler.example',
      Authorization: 'Basic eDp5',
      Connection: 'keep-alive, X-Secret-Hop',
      'X-Secret-Hop': '1',
    },
  });
  outgoing.end('{"id":"ä"}');
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect([answer.statusCode, await bodyOf(answer)]).toEqual([418, 'tea']);
  expect(answer.headers).toMatchObject({ 'x-own': 'yes' });
  expect(answer.headers).not.toHaveProperty('x-hop');
  expect(heard).toMatchObject({
    method: 'POST',
    url: '/v1/x?a=%20b',
    host: 'scheduler.example',
    authorization: 'Basic eDp5',
    'x-marathon-via': 'follower:1',
    body: '{"id":"ä"}',
  });
  expect(heard).not.toHaveProperty('x-secret-hop');
});

it('streams an answer, and aborts it when the client disconnects', async () => {
  const left: Promise<unknown>[] = [];
  const url = await follower(
    await serve((_incoming, answer) => {
      left.push(once(answer, 'close'));
      answer.write('event: one\n\n');
    }),
  );
  const asking = new AbortController();
  const answer = await fetch(url, { signal: asking.signal });
  const reader = answer.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toBe('event: one\n\n');
  asking.abort();
  await Promise.all(left);
  expect(left).toHaveLength(1);
});

it('aborts its answer if the leader aborts', async () => {
  const url = await follower(
    await serve((_incoming, answer) => {
      answer.writeHead(200, { 'Content-Length': 100 });
      answer.write('half', () => answer.destroy());
    }),
  );
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
});

it('answers 503 if the leader is unreachable or its address is invalid', async () => {
  for (const address of ['127.0.0.1:1', 'no address']) {
    const answer = await fetch(await follower(address));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.text()).toMatch(/can't be reached: .*ECONNREFUSED|is not host:port/);
  }
});

it('answers 503 if the leader loses the leadership before it answers', async () => {
  const term = new AbortController();
  const url = await follower(await serve(() => term.abort()), term.signal);
  const answer = await fetch(url);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('is no longer the leader and did not answer');
});

it('tells a change that never reached the leader from one that may have been made', async () => {
  const post = async (leader: string) => {
    const answer = await fetch(await follower(leader), { method: 'POST', body: '{}' });
    return [answer.status, answer.headers.get('retry-after'), await answer.text()];
  };
  expect(await post('127.0.0.1:1')).toEqual([
    503,
    '1',
    expect.stringMatching(/can't be reached: .*; try again in a moment/),
  ]);
  const leaves = await serve((incoming) => incoming.socket.destroy());
  expect(await post(leaves)).toEqual([
    503,
    null,
    expect.stringMatching(/did not answer: .*; the change may have been made/),
  ]);
});

it('does not forward a forwarded request', async () => {
  const answer = await fetch(await follower('127.0.0.1:1'), { headers: { 'X-Marathon-Via': 'other:1' } });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('disagree about their leader');
});

describe('with TLS', () => {
  let directory: string;
  let ca: TestCa;
  let files: IssuedFiles;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'proxy-'));
    ca = createTestCa(directory);
    files = ca.issue('leader', { names: ['IP:127.0.0.1'] });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function listenByTls(handler: Handler): Promise<number> {
    const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)];
    const secure = createTlsServer({ cert, key }, handler).listen(0, '127.0.0.1');
    servers.push(secure);
    await once(secure, 'listening');
    return (secure.address() as AddressInfo).port;
  }

  it('trusts a leader by its certificate only, whatever Host the client sends', async () => {
    const address = `127.0.0.1:${await listenByTls((_incoming, answer) => answer.end('tea'))}`;
    const ask = async (tls: TlsFiles) => {
      const leader: Leader = { address, term: forever };
      const forwarding = { own: 'f:1', tls: createTransport({ mode: 'required', ...tls }) };
      const own = await serve((incoming, answer) => forwardRequest(incoming, answer, leader, forwarding));
      const [answer] = (await once(
        request(`http://${own}`, { headers: { Host: 'scheduler.example' } }).end(),
        'response',
      )) as [IncomingMessage];
      return [answer.statusCode, await bodyOf(answer)];
    };
    expect(await ask({ ca: ca.file })).toEqual([200, 'tea']);
    const refusal =
      /can't be reached: the certificate of 127\.0\.0\.1:.*CN=leader.*not signed by a CA of this/;
    expect(await ask({})).toEqual([503, expect.stringMatching(refusal)]);
  });

  it('forwards what came with TLS with it, if the schedulers listen with and without it', async () => {
    const address = await serve((incoming, answer) => answer.end(`plain ${incoming.headers.cookie}`));
    const port = await listenByTls((incoming, answer) => answer.end(`secure ${incoming.headers.cookie}`));
    // The schedulers have the same certificate, of an authority that is not known here.
    const transport = createTransport({ mode: 'required', trustsOwn: true, ...files });
    const forwarding = { own: 'f:1', secure: { port, transport } };
    const forward: Handler = (incoming, answer) =>
      forwardRequest(incoming, answer, { address, term: forever }, forwarding);
    const ask = async (options: RequestOptions, send: typeof request) => {
      const [answer] = (await once(
        send({ host: '127.0.0.1', headers: { Cookie: 'a=b' }, ...options }).end(),
        'response',
      )) as [IncomingMessage];
      return bodyOf(answer);
    };
    const own = await serve(forward);
    expect(await ask({ port: own.split(':')[1] }, request)).toBe('plain a=b');
    const bySecure = { port: await listenByTls(forward), ca: readFileSync(ca.file) } as RequestOptions;
    expect(await ask(bySecure, requestByTls)).toBe('secure a=b');
  });

  it('forwards with plain text to a leader that has no TLS yet, if the port takes both', async () => {
    const address = await serve((_incoming, answer) => answer.end('plain'));
    const forwarding = { own: 'f:1', tls: createTransport({ mode: 'preferred', ca: ca.file, ...files }) };
    const leader: Leader = { address, term: forever };
    const own = await serve((incoming, answer) => forwardRequest(incoming, answer, leader, forwarding));
    expect(await (await fetch(`http://${own}`)).text()).toBe('plain');
  });
});

describe('a request for another protocol', () => {
  /** Starts a leader and a follower of it. @returns the follower's URL */
  async function upgrading(
    onUpgrade: (incoming: IncomingMessage, socket: Socket) => void,
    term = forever,
  ): Promise<string> {
    const address = await serve(() => {});
    servers.at(-1)?.on('upgrade', (incoming, socket) => onUpgrade(incoming, socket as Socket));
    const own = await serve(() => {});
    servers.at(-1)?.on('upgrade', (incoming, socket, head) => {
      const upgrade = { request: incoming, socket, head };
      forwardRequest(incoming, answerOf(upgrade), { address, term }, { own: 'follower:1' }, upgrade);
    });
    return `http://${own}/exec`;
  }

  function ask(url: string) {
    return request(url, { headers: { Connection: 'Upgrade', Upgrade: 'echo', Origin: 'http://o' } }).end();
  }

  function accept(incoming: IncomingMessage, socket: Socket): void {
    const { upgrade, origin, 'x-marathon-via': via } = incoming.headers;
    const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${upgrade}`];
    socket.write(`${[...head, `X-Heard: ${origin} ${via} ${incoming.url}`].join('\r\n')}\r\n\r\nfirst`);
    socket.on('error', () => {});
    socket.pipe(socket);
  }

  it('joins the connections of the client and the leader', async () => {
    const [answer, socket, head] = await once(ask(await upgrading(accept)), 'upgrade');
    expect(answer.headers).toMatchObject({ upgrade: 'echo', 'x-heard': 'http://o follower:1 /exec' });
    let received = String(head);
    socket.on('data', (bytes: Buffer) => {
      received += bytes;
    });
    socket.end(' and last');
    await once(socket, 'close');
    expect(received).toBe('first and last');
  });

  it('is answered with the refusal of the leader', async () => {
    const url = await upgrading((_incoming, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    );
    const [answer] = (await once(ask(url), 'response')) as [IncomingMessage];
    expect([answer.statusCode, await bodyOf(answer)]).toEqual([403, 'no']);
  });

  it('ends with the leadership of the leader, and with either connection', async () => {
    const term = new AbortController();
    const [, deposed] = await once(ask(await upgrading(accept, term.signal)), 'upgrade');
    const ended = once(deposed.resume(), 'close');
    term.abort();
    await ended;
    const left: Promise<unknown>[] = [];
    const url = await upgrading((incoming, socket) => {
      left.push(once(socket, 'close'));
      accept(incoming, socket);
    });
    const [, client] = await once(ask(url), 'upgrade');
    client.on('error', () => {});
    client.destroy();
    await Promise.all(left);
    expect(left).toHaveLength(1);
  });
});
