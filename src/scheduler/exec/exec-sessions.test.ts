/** Sessions over real connections: the API with its access rules, a client's WebSocket, and an executor's connection. */

import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { account } from '../../../test/scheduler/accounts.ts';
import { closing, type Server, server } from '../../../test/scheduler/api-server.ts';
import { encodeRegret, type Invitation, readControl, readInvitation } from '../../exec/control.ts';
import type { FrameSocket } from '../../exec/frame-socket.ts';
import { CHANNELS } from '../../exec/frames.ts';
import { dialScheduler, SessionRefusedError } from '../../executor/exec-dial.ts';
import { routeUpgrade } from '../api/upgrades.ts';
import { type Listening, listen } from '../listen.ts';
import { ExecSessions, isOfExecutor } from './exec-sessions.ts';
import { ExecClient } from './relay.ts';
import type { ExecRequest } from './session.ts';

const OLGA = { authorization: `Basic ${Buffer.from('olga:o').toString('base64')}` };
const OTTO = { authorization: `Basic ${Buffer.from('otto:p').toString('base64')}` };
const REQUEST: ExecRequest = {
  user: 'olga',
  appId: '/a',
  agentId: 'S0',
  executorId: 'e',
  command: { task: 't', argv: ['sh'], tty: false, environment: { SECRET: 'value' } },
};

let one: Server;
let exec: ExecSessions;
let listening: Listening;
let url: URL;
/** Added to the time. */
let later = 0;
/** The number of messages that Mesos loses. */
let lost = 0;
let invitations: Invitation[];
let log: [string, Record<string, unknown>][];

beforeEach(async () => {
  [later, lost, invitations, log] = [0, 0, [], []];
  exec = new ExecSessions({
    send: async ({ message }) => {
      expect([message.agent_id.value, message.executor_id.value]).toEqual(['S0', 'e']);
      const invitation = readInvitation(message.data);
      if (invitation) invitations.push(invitation);
    },
    now: () => Date.now() + later,
    log: (fields, text) => log.push([text, { ...fields }]),
  });
  one = server({ exec, accounts: [account('olga', 'operator', 'o'), account('otto', 'operator', 'p')] });
  await one.api.ready();
  listening = await listen(
    { httpAddress: '127.0.0.1', httpPort: 0, maxConnections: 50 },
    (incoming, answer) => one.api.routing(incoming, answer),
    (upgrade) => (isOfExecutor(upgrade.request) ? exec.accept(upgrade) : routeUpgrade(one.api, upgrade)),
    () => {},
  );
  closing.unshift(() => listening.close());
  url = new URL(`http://127.0.0.1:${listening.port}`);
});
afterEach(() => exec.close());

function create(): string {
  const created = exec.create(REQUEST);
  if (typeof created === 'string') throw new Error(created);
  return created.id;
}

/** @returns the status of a refusal, or the open WebSocket */
async function begin(id: string, headers: Record<string, string> = OLGA): Promise<WebSocket | number> {
  const socket = new WebSocket(`ws://${url.host}/v2/exec/${id}`, { headers });
  socket.on('error', () => {});
  return Promise.race([
    once(socket, 'open').then(() => socket),
    once(socket, 'unexpected-response').then(([, answer]) => {
      socket.terminate();
      return answer.statusCode as number;
    }),
  ]);
}

async function begun(): Promise<WebSocket> {
  const socket = await begin(create());
  if (typeof socket === 'number') throw new Error(`refused with status ${socket}`);
  return socket;
}

/** Waits for the first invitation that Mesos does not lose. */
async function invited(): Promise<Invitation> {
  for (;;) {
    const invitation = invitations[lost];
    if (invitation) return invitation;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function dial(invitation: Invitation): Promise<FrameSocket> {
  return dialScheduler({ urls: [url], ca: undefined }, { mode: 'off' }, invitation);
}

/** @returns the last control message of a session */
async function outcomeOf(socket: WebSocket): Promise<unknown> {
  let last: unknown;
  socket.on('message', (data: Buffer) => {
    if (data[0] === CHANNELS.control) last = JSON.parse(data.subarray(1).toString());
  });
  await once(socket, 'close');
  return last;
}

describe('a session', () => {
  it('passes the command to the executor, frames in both directions, and the exit code', async () => {
    const client = await begun();
    const outcome = outcomeOf(client);
    client.send(Buffer.from([CHANNELS.stdin, 65]));
    const executor = await dial(await invited());
    const frames = executor.frames();
    const read = async () => (await frames.next()).value ?? { channel: -1, content: Buffer.of() };
    expect(readControl((await read()).content)).toEqual({ type: 'start', command: REQUEST.command });
    expect(await read()).toEqual({ channel: CHANNELS.stdin, content: Buffer.from('A') });
    const received = once(client, 'message');
    await executor.send(CHANNELS.stderr, Buffer.from('oh'));
    expect((await received)[0]).toEqual(Buffer.from([CHANNELS.stderr, 111, 104]));
    await executor.control({ type: 'exit', code: 3 });
    expect(await outcome).toEqual({ type: 'exit', code: 3 });
    const who = { user: 'olga', app: '/a', task: 't' };
    expect(log).toMatchObject([
      ['exec session created', { ...who, argv: ['sh'], environment: ['SECRET'] }],
      ['exec session begun', who],
      ['exec session ended', { ...who, exitCode: 3, seconds: expect.any(Number) }],
    ]);
    expect(JSON.stringify(log)).not.toContain('value');
  });

  it('begins only with credentials, for its user, from an allowed site, and once', async () => {
    const id = create();
    expect(await begin(id, {})).toBe(401);
    expect(await begin(id, { authorization: 'Basic eDp5' })).toBe(401);
    expect(await begin(id, OTTO)).toBe(403);
    expect(await begin(id, { ...OLGA, origin: 'https://evil.example' })).toBe(403);
    expect(await begin('none')).toBe(404);
    expect(invitations).toEqual([]);
    expect(await begin(id, { ...OLGA, origin: url.origin })).toBeInstanceOf(WebSocket);
    expect(await begin(id)).toBe(404);
  });

  it('can not begin after 30 s', async () => {
    const id = create();
    later = 31_000;
    expect(await begin(id)).toBe(404);
  });

  it('invites the executor again when Mesos loses messages', async () => {
    lost = 2;
    const client = await begun();
    const executor = await dial(await invited());
    expect(invitations).toHaveLength(3);
    await executor.control({ type: 'exit', code: 0 });
    expect(await outcomeOf(client)).toEqual({ type: 'exit', code: 0 });
  });

  it('ends with the reason of an executor that can’t connect', async () => {
    const client = await begun();
    const { session } = await invited();
    const data = encodeRegret({ session, reason: 'http://h:1: ECONNREFUSED' });
    const from = (agent: string) => ({
      type: 'MESSAGE' as const,
      message: { agent_id: { value: agent }, executor_id: { value: 'e' }, data },
    });
    exec.takeMessage(from('S0'));
    // Another agent has no say.
    exec.takeMessage({
      ...from('S1'),
      message: { ...from('S1').message, data: encodeRegret({ session, reason: 'x' }) },
    });
    later = 31_000;
    expect(await outcomeOf(client)).toEqual({
      type: 'error',
      message: expect.stringMatching(/did not connect .* within 30 s: http:\/\/h:1: ECONNREFUSED/),
    });
  });

  it('takes the connection of an executor once, and only with its token', async () => {
    const client = await begun();
    const invitation = await invited();
    const wrong = { ...invitation, token: 'x'.repeat(32) };
    await expect(dial(wrong)).rejects.toThrow(SessionRefusedError);
    await expect(dial({ ...invitation, session: 'x'.repeat(32) })).rejects.toThrow(SessionRefusedError);
    const executor = await dial(invitation);
    await expect(dial(invitation)).rejects.toThrow(SessionRefusedError);
    executor.close();
    expect(await outcomeOf(client)).toMatchObject({ message: expect.stringContaining('was lost') });
  });

  it('ends with its task, its client and its scheduler', async () => {
    const of = async () => {
      const client = await begun();
      return { client, outcome: outcomeOf(client) };
    };
    const first = await of();
    exec.endTask('another', 'TASK_FAILED');
    exec.endTask('t', 'TASK_KILLED');
    expect(await first.outcome).toEqual({ type: 'error', message: "Task 't' has ended: TASK_KILLED" });
    const second = await of();
    const executor = await dial(invitations.at(-1) ?? (await invited()));
    second.client.terminate();
    const read = async () => {
      const frames = [];
      for await (const { content } of executor.frames()) frames.push(content.toString());
      return frames;
    };
    expect(await read()).toHaveLength(1);
    expect(log.at(-1)?.[1]).toMatchObject({ reason: 'The client has disconnected' });
    const third = await of();
    exec.close();
    expect(await third.outcome).toMatchObject({ message: expect.stringContaining('scheduler stops') });
  });

  it.each([
    ['text', 'a'],
    ['an empty message', Buffer.of()],
    ['output', Buffer.from([CHANNELS.stdout, 65])],
    ['an unknown channel', Buffer.from([9])],
    ['invalid control', Buffer.from([CHANNELS.control, 65])],
  ])('ends with a reason if the client sends %s', async (_what, message) => {
    const client = await begun();
    client.send(message);
    expect(await outcomeOf(client)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('must be'),
    });
  });
});

it('gives up a client that answers no ping', async () => {
  const wss = new WebSocketServer({ port: 0 });
  closing.unshift(async () => wss.close());
  const connected = once(wss, 'connection');
  const silent = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`, { autoPong: false });
  const [socket] = (await connected) as [WebSocket];
  await new ExecClient(socket, { pingEveryMs: 20, silentLimitMs: 300 }).closed;
  silent.terminate();
});

it('stops reading from a client that sends empty frames before there is an executor', async () => {
  const wss = new WebSocketServer({ port: 0 });
  closing.unshift(async () => wss.close());
  const connected = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`);
  const [socket] = (await connected) as [WebSocket];
  new ExecClient(socket);
  await once(client, 'open');
  for (let i = 0; i < 2000; i += 1) client.send(Buffer.of(CHANNELS.stdin));
  await vi.waitFor(() => expect(socket.isPaused).toBe(true), { timeout: 10_000 });
  client.terminate();
  socket.terminate();
});

it('holds output back while the client pauses, but not for ever, and not the outcome', async () => {
  const wss = new WebSocketServer({ port: 0 });
  closing.unshift(async () => wss.close());
  const connected = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`);
  const [socket] = (await connected) as [WebSocket];
  const serving = new ExecClient(socket, undefined, 300);
  await once(client, 'open');
  const received: string[] = [];
  client.on('message', (data: Buffer) => received.push(data.subarray(1).toString()));
  const control = async (type: string) => {
    client.send(Buffer.concat([Buffer.of(CHANNELS.control), Buffer.from(JSON.stringify({ type }))]));
    await once(socket, 'message');
  };
  const output = (text: string) =>
    serving.sendOutput({ channel: CHANNELS.stdout, content: Buffer.from(text) });
  await control('pause');
  const held = output('a');
  await Promise.all([held, output('b')]);
  // The longest pause has ended by itself.
  await vi.waitFor(() => expect(received).toEqual(['a', 'b']));
  await control('pause');
  let isSent = false;
  const next = output('c').then(() => {
    isSent = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isSent).toBe(false);
  await control('resume');
  await next;
  await control('pause');
  const last = output('d');
  serving.end({ type: 'exit', code: 0 });
  await serving.closed;
  await last;
  expect(received).toEqual(['a', 'b', 'c', '{"type":"exit","code":0}']);
});

it('ignores requests for other protocols, and answers them', async () => {
  const asked = request({
    host: url.hostname,
    port: url.port,
    path: '/ping',
    headers: { Connection: 'Upgrade', Upgrade: 'h2c' },
  });
  asked.end();
  const [answer] = await once(asked, 'response');
  expect(answer.statusCode).toBe(200);
  answer.resume();
});

/** Sends the head of a request with an upgrade. @returns the connection, with the first bytes of the answer */
async function upgrading(path: string, protocol: string): Promise<{ socket: Socket; answer: string }> {
  const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  const [bytes] = await once(socket, 'data');
  return { socket, answer: String(bytes).split('\r\n')[0] ?? '' };
}

it.each(['websocket', 'mesosup-exec'])(
  'answers a request for %s that follows an unanswered one',
  async (name) => {
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    const get = (path: string, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${OLGA.authorization}\r\n${more}\r\n`;
    const upgrade = `Connection: Upgrade\r\nUpgrade: ${name}\r\n`;
    socket.write(get('/v2/apps') + get('/v2/exec/x', upgrade));
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes;
    });
    await vi.waitFor(() =>
      expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 426']),
    );
    socket.destroy();
  },
);

describe('a connection that is refused', () => {
  it('does no harm if the client resets it', async () => {
    for (const [path, protocol] of [
      ['/exec/x', 'mesosup-exec'],
      ['/v2/apps', 'websocket'],
    ] as const) {
      const { socket } = await upgrading(path, protocol);
      socket.resetAndDestroy();
    }
    // An error that nobody handles would end the process, and fails the test.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await fetch(new URL('/ping', url))).status).toBe(200);
  });

  it('is closed even if the client keeps its side open', async () => {
    const before = await Promise.all([
      upgrading('/exec/x', 'mesosup-exec'),
      upgrading('/v2/apps', 'websocket'),
    ]);
    expect(before.map(({ answer }) => answer)).toEqual([
      'HTTP/1.1 403 Forbidden',
      'HTTP/1.1 401 Unauthorized',
    ]);
    for (const { socket } of before) {
      // Answered with a reset as soon as the scheduler has closed the connection.
      const writing = setInterval(() => socket.write('x'), 200);
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(writing);
    }
  }, 20_000);
});
