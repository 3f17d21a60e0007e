import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { CHANNELS } from '../../exec/frames.ts';
import { joinExecSession } from './exec-session.ts';

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
  expect(await joinExecSession({ url, headers: {} }, streams)).toEqual({ type: 'exit', code: 141 });
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
  const patience = { pingEveryMs: 20, silentLimitMs: 200 };
  // Nothing is read, so no ping is answered, as behind a lost network.
  server.once('connection', (socket) => socket.pause());
  expect(await joinExecSession({ url, headers: {} }, streams, patience)).toBeUndefined();
  server.once('connection', (socket) => {
    const message = Buffer.concat([Buffer.of(CHANNELS.control), Buffer.from('{"type":"exit","code":3}')]);
    setTimeout(() => socket.send(message, () => socket.close()), 600);
  });
  expect(await joinExecSession({ url, headers: {} }, streams, patience)).toEqual({ type: 'exit', code: 3 });
  for (const client of server.clients) client.terminate();
  server.close();
});
