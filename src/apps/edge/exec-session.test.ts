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
