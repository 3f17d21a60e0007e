import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { CHANNELS } from '../../exec/frames.ts';
import { joinExecSession } from './exec-session.ts';

test('creates a session again that the scheduler does not know, and no other', async () => {
  const end = Buffer.concat([Buffer.of(CHANNELS.control), Buffer.from('{"type":"exit","code":0}')]);
  const refusals: (number | undefined)[] = [404, undefined, 503];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer().on('upgrade', (request, socket, head) => {
    const status = refusals.shift();
    if (status !== undefined) socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    else sockets.handleUpgrade(request, socket, head, (one) => one.send(end, () => one.close()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const out = new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdin: undefined, stdout: out, stderr: out, tty: false } as unknown as Parameters<
    typeof joinExecSession
  >[1];
  let created = 0;
  const create = async () => {
    created += 1;
    return { url, headers: {} };
  };
  expect(await joinExecSession(create, streams)).toEqual({ type: 'exit', code: 0 });
  expect(created).toBe(2);
  await expect(joinExecSession(create, streams)).rejects.toThrow('503');
  expect([created, out.listenerCount('error')]).toEqual([3, 0]);
  server.close();
});

test('ends when nobody reads the output any more', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.send(Buffer.concat([Buffer.of(CHANNELS.stdout), Buffer.from('y\n')]));
  });
  const left = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
  // Like standard output in "| head": a write after the reader has left returns false, and is followed by an error.
  const stdout = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done(left) });
  stdout.on('error', () => {});
  const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdin: undefined, stdout, stderr, tty: false } as unknown as Parameters<
    typeof joinExecSession
  >[1];
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await joinExecSession(async () => ({ url, headers: {} }), streams)).toEqual({
    type: 'exit',
    code: 141,
  });
  server.close();
});

test('gives up a connection whose other side has disappeared, and keeps a quiet one', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const out = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdin: undefined, stdout: out(), stderr: out(), tty: false } as unknown as Parameters<
    typeof joinExecSession
  >[1];
  const patience = { pingEveryMs: 20, silentLimitMs: 200, beginMs: 0 };
  // Nothing is read, so no ping is answered, as behind a lost network.
  server.once('connection', (socket) => socket.pause());
  expect(await joinExecSession(async () => ({ url, headers: {} }), streams, patience)).toBeUndefined();
  server.once('connection', (socket) => {
    const message = Buffer.concat([Buffer.of(CHANNELS.control), Buffer.from('{"type":"exit","code":3}')]);
    setTimeout(() => socket.send(message, () => socket.close()), 600);
  });
  expect(await joinExecSession(async () => ({ url, headers: {} }), streams, patience)).toEqual({
    type: 'exit',
    code: 3,
  });
  for (const client of server.clients) client.terminate();
  server.close();
});
