import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { encodeControl } from './control.ts';
import { FrameSocket } from './frame-socket.ts';
import { CHANNELS, encodeFrame, type Frame } from './frames.ts';

const IMPATIENT = { pingEveryMs: 20, silentLimitMs: 300 };
const PING: Frame = { channel: CHANNELS.control, content: encodeControl({ type: 'ping' }) };
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** @returns both ends of a connection */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [other] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(one, other);
  return [one, other];
}

async function framesOf(socket: FrameSocket): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of socket.frames()) frames.push(frame);
  return frames;
}

it('passes frames until the end of the connection', async () => {
  const [one, other] = await pair();
  const sender = new FrameSocket(one, Buffer.of());
  const received = framesOf(new FrameSocket(other, Buffer.from([CHANNELS.stdin, 0, 0, 0, 1, 65])));
  await sender.send(CHANNELS.stdout, Buffer.alloc(1 << 20, 'x'));
  await sender.send(CHANNELS.stderr, Buffer.of());
  await sender.end();
  expect(await received).toEqual([
    { channel: CHANNELS.stdin, content: Buffer.from('A') },
    { channel: CHANNELS.stdout, content: Buffer.alloc(1 << 20, 'x') },
    { channel: CHANNELS.stderr, content: Buffer.of() },
  ]);
  // A closed connection takes frames without effect.
  await sender.send(CHANNELS.stdin, Buffer.from('late'));
});

it('gives up a silent peer', async () => {
  const [one] = await pair();
  await expect(framesOf(new FrameSocket(one, Buffer.of(), IMPATIENT))).rejects.toThrow(
    'nothing was received for 0.3 s',
  );
});

it('keeps a peer that only answers with pings, and one that waits for a slow reader', async () => {
  const [one, other] = await pair();
  const idle = new FrameSocket(one, Buffer.of(), IMPATIENT);
  const slow = new FrameSocket(other, Buffer.of(), IMPATIENT);
  let heard = 0;
  const listening = (async () => {
    for await (const _ping of idle.frames()) heard += 1;
  })().catch((error: unknown) => error);
  const frames = slow.frames();
  for (let i = 0; i < 3; i += 1) {
    expect((await frames.next()).value?.channel).toBe(CHANNELS.control);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  expect([one.destroyed, other.destroyed]).toEqual([false, false]);
  expect(heard).toBeGreaterThan(10);
  slow.close();
  await listening;
});

it('keeps a peer that was heard while this process did not run', async () => {
  const [one, other] = await pair();
  const frames = new FrameSocket(one, Buffer.of(), IMPATIENT).frames();
  const answering = setInterval(() => other.write(Buffer.concat(encodeFrame(PING))), IMPATIENT.pingEveryMs);
  try {
    await frames.next();
    const next = frames.next();
    await new Promise(setImmediate);
    // The timer of the pings is due before what was received is read.
    const until = performance.now() + 2 * IMPATIENT.silentLimitMs;
    while (performance.now() < until);
    expect((await next).value?.channel).toBe(CHANNELS.control);
    expect(one.destroyed).toBe(false);
  } finally {
    clearInterval(answering);
  }
});
