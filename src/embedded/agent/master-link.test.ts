import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualTimer } from '../../../test/support/manual-timer.ts';
import { encodeRecord } from '../../mesos/recordio.ts';
import type { MasterMessage } from '../wire/agent-link.ts';
import { fixedMaster, linkToMaster, type MasterSource } from './master-link.ts';

let answers: ServerResponse[];
let address: string;
let now: number;
const server = createServer((_request, response) => {
  response.flushHeaders();
  answers.push(response);
});

beforeEach(async () => {
  answers = [];
  now = 1_000_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** A link that registered, was pinged 20 s later and lost its master another 10 s later. */
async function lostLink(masters: MasterSource) {
  const timer = new ManualTimer();
  const messages: MasterMessage[] = [];
  const unlink = linkToMaster({
    masters,
    timer: timer.timer,
    now: () => now,
    onConnected: () => {},
    onMessage: (message) => messages.push(message),
    onDisconnected: () => {},
    onWaiting: () => {},
    onRefused: () => {},
  });
  const [master] = await vi.waitUntil(() => answers.length > 0 && answers);
  const send = async (message: MasterMessage) => {
    master?.write(encodeRecord(JSON.stringify(message)));
    await vi.waitUntil(() => messages.at(-1)?.type === message.type);
  };
  await send({ type: 'REGISTERED', agent_id: 'a', total_ping_timeout_ms: 75_000, reconcile: [] });
  now += 20_000;
  await send({ type: 'PING' });
  now += 10_000;
  master?.destroy();
  await vi.waitUntil(() => timer.waits.length > 0);
  const { waits } = timer;
  unlink();
  return waits;
}

test('an agent reconnects to a fixed master after the announced ping timeout', async () => {
  expect(await lostLink(fixedMaster(address))).toEqual([65_000]);
});

test('an agent reconnects immediately to a master from ZooKeeper', async () => {
  const detected = { ...fixedMaster(address), fixed: false };
  expect(await lostLink(detected)).toEqual([100]);
});
