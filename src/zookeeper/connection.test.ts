/** Answers that a real server never sends. The contract tests use a real server for all other cases. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, type ConnectOptions, connect } from './connection.ts';
import { boolean, buffer, int, JuteReader, string } from './wire/jute.ts';
import { PacketReader, packet } from './wire/packets.ts';
import { exists, getData, remove } from './wire/requests.ts';

const LONG_AGO = Buffer.from('0000000000000005', 'hex');
const NO_ZXID = Buffer.alloc(8, 0xff);
const ID = Buffer.from('0102030405060708', 'hex');
const PASSWORD = Buffer.alloc(16, 7);

let server: Server;
let at: { host: string; port: number };
let socket: Socket;
let received: Buffer[];
let arrived: () => void;
const open: Connection[] = [];

beforeEach(async () => {
  received = [];
  arrived = () => {};
  server = createServer((accepted) => {
    socket = accepted;
    const packets = new PacketReader();
    accepted.on('error', () => {});
    accepted.on('data', (chunk: Buffer) => {
      received.push(...packets.read(chunk));
      arrived();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  at = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
});

afterEach(async () => {
  for (const connection of open.splice(0)) connection.destroy('the test is over');
  const closed = once(server, 'close');
  server.close();
  await closed;
});

/** Resolves with the last packet when the given number of packets has arrived. */
async function arrival(count: number): Promise<Buffer> {
  while (received.length < count) {
    await new Promise<void>((resolve) => {
      arrived = resolve;
    });
  }
  return received[count - 1] ?? Buffer.alloc(0);
}

const greeting = (timeoutMs: number): Buffer =>
  packet(int(0), int(timeoutMs), ID, buffer(PASSWORD), boolean(false));
const reply = (xid: number, zxid: Buffer, error: number, ...record: Buffer[]): Buffer =>
  packet(int(xid), zxid, int(error), ...record);
const event = (type: number, path: string): Buffer => reply(-1, NO_ZXID, 0, int(type), int(3), string(path));

/** A connection after its handshake. */
async function connected(options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const before = received.length;
  const connecting = connect({ server: at, timeoutMs: 1000, withinMs: 20_000, ...options });
  await arrival(before + 1);
  socket.write(greeting(1000));
  const connection = await connecting;
  open.push(connection);
  return connection;
}

describe('the handshake', () => {
  it('fails if the server is not ZooKeeper', async () => {
    const connecting = connect({ server: at, timeoutMs: 1000, withinMs: 20_000 });
    const refused = expect(connecting).rejects.toMatchObject({
      fatal: false,
      message: `127.0.0.1:${at.port} sent an invalid packet: 1213486160 is not the length of a packet`,
    });
    await arrival(1);
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    await refused;
  });

  it('fails if the answer is truncated', async () => {
    const connecting = connect({ server: at, timeoutMs: 1000, withinMs: 20_000 });
    const refused = expect(connecting).rejects.toMatchObject({ fatal: false });
    await arrival(1);
    socket.write(packet(int(0), int(1000)));
    await refused;
  });

  it('fails permanently if the session has expired, and the credentials are not sent', async () => {
    const connecting = connect({ server: at, credentials: 'me:pw', timeoutMs: 1000, withinMs: 20_000 });
    const refused = expect(connecting).rejects.toMatchObject({ fatal: true });
    await arrival(1);
    socket.write(greeting(0));
    await refused;
    expect(received).toHaveLength(1);
  });

  it('precedes the credentials, which precede all requests', async () => {
    const connection = await connected({ credentials: 'me:pw' });
    const gone = expect(connection.request(remove('/a'))).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
    const last = new JuteReader(await arrival(3));
    expect([last.int(), last.int(), last.string()]).toEqual([0, 2, '/a']);
    const auth = new JuteReader(received[1] ?? Buffer.alloc(0));
    expect([auth.int(), auth.int(), auth.int(), auth.string()]).toEqual([-4, 100, 0, 'digest']);
    expect(auth.buffer().toString()).toBe('me:pw');
    socket.write(reply(-4, LONG_AGO, -115));
    expect(await connection.closed).toEqual({
      reason: `127.0.0.1:${at.port} refused the user and password`,
      fatal: true,
    });
    await gone;
  });
});

describe('a connection', () => {
  it('delivers answers and events in the order of arrival, also from one chunk', async () => {
    const order: string[] = [];
    const connection = await connected({ onEvent: ({ type, path }) => order.push(`${type} ${path}`) });
    const noted = (name: string) => {
      const request = exists('/a', true);
      const read: typeof request.read = (answer) => {
        order.push(name);
        return request.read(answer);
      };
      return connection.request({ ...request, read });
    };
    const both = Promise.all([noted('first'), noted('second')]);
    await arrival(3);
    const early = [event(2, '/early'), reply(0, LONG_AGO, -101), event(1, '/a')];
    socket.write(Buffer.concat([...early, reply(1, LONG_AGO, -101), event(4, '/late')]));
    expect(await both).toEqual([undefined, undefined]);
    expect(order).toEqual(['deleted /early', 'first', 'created /a', 'second', 'children-changed /late']);
    expect([connection.sentCount, connection.answeredCount]).toEqual([2, 2]);
  });

  it('resumes after the zxid of the last answer, including errors', async () => {
    const connection = await connected();
    expect(connection.resumption()).toEqual({ id: ID, password: PASSWORD, zxid: Buffer.alloc(8) });
    const asked = [1, 2, 3].map(() => connection.request(exists('/a', false)));
    await arrival(4);
    const zxid = Buffer.from('0000000100000007', 'hex');
    const answers = [reply(0, LONG_AGO, -101), reply(1, zxid, -101), reply(2, NO_ZXID, -101)];
    socket.write(Buffer.concat([...answers, event(1, '/a')]));
    await Promise.all(asked);
    expect(connection.resumption().zxid).toEqual(zxid);
    connection.destroy('enough');
    const next = await connected({ resume: connection.resumption() });
    const request = new JuteReader(await arrival(5));
    expect([request.int(), request.long(), request.int(), request.long(), request.buffer()]).toEqual([
      0,
      zxid,
      1000,
      ID,
      PASSWORD,
    ]);
    expect(next.resumption().zxid).toEqual(zxid);
  });

  it.each([
    ['a length that is none', int(-5), '-5 is not the length of a packet'],
    ['a header cut short', packet(int(0)), /a field of 8 bytes exceeds its packet of 4 bytes/],
    ['an answer to no request', reply(7, LONG_AGO, 0), 'an unexpected or out-of-order answer: xid 7'],
    ['an answer out of turn', reply(1, LONG_AGO, 0), 'an unexpected or out-of-order answer: xid 1'],
    ['an answer cut short', reply(0, LONG_AGO, 0, int(3)), /a field of 3 bytes exceeds/],
    ['an event of an unknown type', event(9, '/a'), '9 is not a type of watch event'],
  ])('is lost, with all of its requests, at %s', async (_, bytes, message) => {
    const connection = await connected();
    const lost = [getData('/a', false), getData('/b', false)].map((request) =>
      expect(connection.request<unknown>(request)).rejects.toMatchObject({ code: 'CONNECTION_LOSS' }),
    );
    await arrival(3);
    socket.write(bytes);
    const end = await connection.closed;
    expect(end.fatal).toBe(false);
    expect(end.reason).toMatch(message);
    await Promise.all(lost);
    await expect(connection.request(remove('/a'))).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
  });

  it('continues after a request that the server refuses with an unknown error', async () => {
    const connection = await connected();
    const refused = expect(connection.request(remove('/a'))).rejects.toMatchObject({ code: 'OTHER' });
    await arrival(2);
    socket.write(reply(0, LONG_AGO, -999));
    await refused;
    const next = connection.request(exists('/a', false));
    await arrival(3);
    socket.write(reply(1, LONG_AGO, -101));
    expect(await next).toBeUndefined();
  });
});
