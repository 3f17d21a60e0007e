/** Forms of definitions that Marathon accepts, run on a real cluster of the embedded programs. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Programs } from './support/programs.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 100 };

let programs: Programs;
let scheduler: SchedulerProcess;
let url: string;

beforeAll(async () => {
  programs = new Programs();
  const master = (await programs.master()).address;
  await programs.agent(master);
  scheduler = startScheduler('--master', master, '--data_dir', path.join(programs.directory, 'state'));
  url = await scheduler.url();
});

afterAll(async () => {
  await scheduler?.kill();
  await programs?.[Symbol.asyncDispose]();
});

async function create(app: object): Promise<void> {
  const body = JSON.stringify({ cpus: 0.05, mem: 16, ...app });
  const answer = await fetch(`${url}/v2/apps`, { method: 'POST', body });
  expect([answer.status, await answer.text()]).toEqual([201, expect.any(String)]);
}

async function show(id: string) {
  const { app } = (await (await fetch(`${url}/v2/apps${id}`)).json()) as {
    app: { tasksRunning: number; tasksHealthy: number; lastTaskFailure?: { message: string } };
  };
  return app;
}

it('args without a container are run, not interpreted by a shell', async () => {
  await create({ id: '/args', args: ['/bin/sh', '-c', `test "$0" = 'a  $b' && exec sleep 100500`, 'a  $b'] });
  await vi.waitFor(async () => expect(await show('/args')).toMatchObject({ tasksRunning: 1 }), WITHIN);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await show('/args')).not.toHaveProperty('lastTaskFailure');
});

it('a fetched file has the name in destPath', async () => {
  const file = path.join(programs.directory, 'payload');
  writeFileSync(file, 'x');
  const fetched = [{ uri: `file://${file}`, extract: false, destPath: 'in/other' }];
  await create({ id: '/fetch', cmd: 'test -f in/other && exec sleep 100501', fetch: fetched });
  await create({
    id: '/uris',
    cmd: 'test -f payload && exec sleep 100502',
    uris: [`file://${file}`],
    fetch: [],
  });
  for (const id of ['/fetch', '/uris']) {
    await vi.waitFor(async () => expect(await show(id)).toMatchObject({ tasksRunning: 1 }), WITHIN);
    expect(await show(id)).not.toHaveProperty('lastTaskFailure');
  }
});

it('two checks of the kind COMMAND both run', async () => {
  const check = (value: string) => ({
    protocol: 'COMMAND',
    command: { value },
    ...{ gracePeriodSeconds: 0, intervalSeconds: 1, delaySeconds: 0, maxConsecutiveFailures: 1 },
  });
  const both = path.join(programs.directory, 'both');
  await create({
    id: '/both',
    cmd: 'exec sleep 100503',
    healthChecks: [check(`echo 1 >> ${both}`), check(`grep -q 1 ${both} # comment`)],
  });
  await vi.waitFor(async () => expect(await show('/both')).toMatchObject({ tasksHealthy: 1 }), WITHIN);
  await create({ id: '/second', cmd: 'exec sleep 100504', healthChecks: [check('true'), check('false')] });
  await vi.waitFor(async () => expect(await show('/second')).toHaveProperty('lastTaskFailure'), WITHIN);
});
