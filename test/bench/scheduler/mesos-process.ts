/**
 * A simulated Mesos with many agents, as a master over HTTP in a process of its own, controlled by the parent process:
 * `{change: N}` changes the health of N tasks, and is answered once all updates are acknowledged; `tasks` is answered
 * with the ids of all tasks that have not ended. A new subscription ends the former one.
 */

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { encodeRecord } from '../../../src/mesos/recordio.ts';
import type { SchedulerCall } from '../../../src/mesos/types.ts';
import { SimulatedMesos } from '../../../src/simulator/mesos.ts';

const STEP_MS = 50;
const HEARTBEAT_MS = 5000;

const agents = Number(process.argv[2]);
process.once('disconnect', () => process.exit());
const specs = Array.from({ length: agents }, (_, i) => ({
  id: `b7c1e1d2-7f31-4a3a-a3f4-0123456789ab-S${i}`,
  host: `agent${i}.cluster.example`,
  cpus: 16,
  mem: 65_536,
  ports: 100,
}));
let unanswered = 0;
let answered = (): void => {};
const mesos = new SimulatedMesos(specs, {
  onAcknowledge: () => {
    unanswered -= 1;
    if (unanswered === 0) answered();
  },
});
let stream: ServerResponse | undefined;
let streams = 0;
const send = (): void => {
  for (const event of mesos.inbox.splice(0)) stream?.write(encodeRecord(JSON.stringify(event)));
};
const server = createServer(async (request, response) => {
  const call = (await json(request)) as SchedulerCall;
  if (call.type !== 'SUBSCRIBE') {
    if (request.headers['mesos-stream-id'] !== String(streams)) {
      response.writeHead(400).end('The stream ID of this request is not that of the subscription');
      return;
    }
    mesos.call(call);
    response.writeHead(202).end();
    send();
    return;
  }
  stream?.end();
  streams += 1;
  response.writeHead(200, { 'Content-Type': 'application/json', 'Mesos-Stream-Id': String(streams) });
  stream = response;
  response.once('close', () => {
    if (stream !== response) return;
    stream = undefined;
    mesos.disconnect();
  });
  const { suppressed_roles = [] } = call.subscribe;
  mesos.subscribe(suppressed_roles.length > 0);
  send();
});
setInterval(() => {
  mesos.offer();
  // Twice: the agents start what was launched by the offers.
  mesos.work();
  send();
}, STEP_MS);
setInterval(() => stream?.write(encodeRecord(JSON.stringify({ type: 'HEARTBEAT' }))), HEARTBEAT_MS);

let ids: string[] = [];
let changed = 0;
const isWell = new Map<string, boolean>();
process.on('message', async (message: { change: number } | 'tasks') => {
  if (message === 'tasks') {
    process.send?.(mesos.live().map(({ info }) => info.task_id.value));
    return;
  }
  const { change } = message;
  if (ids.length !== mesos.tasks.size) ids = [...mesos.tasks.keys()];
  const done = new Promise<void>((resolve) => {
    answered = resolve;
  });
  unanswered = change;
  // Spread over the apps, so that many answers change.
  for (let i = 0; i < change; i += 1) {
    const id = ids[(changed * 7919) % ids.length] ?? '';
    const healthy = !isWell.get(id);
    changed += 1;
    isWell.set(id, healthy);
    mesos.advance(id, 'TASK_RUNNING', { healthy });
  }
  send();
  await done;
  process.send?.('changed');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
