/** Calls of a scheduler to the master, while it leads and afterwards. */

import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ScriptedServer } from '../../test/support/scripted-server.ts';
import { RELEASE } from '../release.ts';
import type { StoredEvent } from './domain/events.ts';
import { optionsFrom } from './flags/options.ts';
import { readFlags } from './flags/parse-flags.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { createMemoryStore } from './store/memory.ts';

let master: ScriptedServer;
let scheduler: Scheduler;
let leading: boolean;
const disk: StoredEvent[] = [];
const lines: string[] = [];

beforeEach(async () => {
  master = new ScriptedServer();
  await master.listen();
  lines.length = 0;
  disk.length = 0;
  scheduler = await createScheduler({
    options: optionsFrom(readFlags(['--master', master.address], {})),
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
    store: createMemoryStore(disk),
    address: () => 'a:1',
    leads: () => leading,
    onFatal: (message) => lines.push(message),
  });
});

afterEach(async () => {
  await scheduler.stop();
  await master.close();
});

it('sends nothing once another scheduler may lead', async () => {
  leading = true;
  scheduler.start();
  const stream = (await master.next()).stream({ 'Mesos-Stream-Id': 's' });
  stream.event({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'f' } } });
  await vi.waitFor(() => expect(lines.join('\n')).toContain('subscribed to the master'));

  leading = false;
  const payload = { id: 'x', cmd: 'y', instances: 1 };
  const { statusCode } = await scheduler.api.inject({ method: 'POST', url: '/v1/apps/start', payload });
  expect(statusCode).toBe(204);
  const refused = /another scheduler may be the leader by now.*the master did not accept REVIVE/;
  await vi.waitFor(() => expect(lines.join('\n')).toMatch(refused));
  stream.end();
  await vi.waitFor(() => expect(lines.join('\n')).toMatch(/no leading master was found: another scheduler/));

  // The next call that the master receives is sent once this scheduler leads again.
  leading = true;
  expect((await master.next()).call.type).toBe('SUBSCRIBE');
});

it('stores the writing release first', async () => {
  leading = true;
  const payload = { id: 'x', cmd: 'y', instances: 1 };
  await scheduler.api.inject({ method: 'POST', url: '/v1/apps/start', payload });
  expect(disk.map(({ type }) => type)).toEqual(['release_changed', 'app_changed', 'deployment_started']);
  expect(disk[0]).toEqual({ type: 'release_changed', release: RELEASE });
});
