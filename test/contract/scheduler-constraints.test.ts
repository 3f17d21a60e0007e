/** A scheduler process that sends offer constraints to a master in the test process. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startAgent } from '../../src/embedded/start-agent.ts';
import { startMaster } from '../../src/embedded/start-master.ts';
import { killProcessesOf } from './support/programs.ts';
import { startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 20_000, interval: 20 };
vi.setConfig({ testTimeout: 60_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function scheduler(master: string, directory: string): Promise<string> {
  const started = startScheduler(
    ...['--master', master, '--data_dir', directory],
    ...['--mesos_user', userInfo().username, '--decline_offer_duration', '0'],
  );
  cleanUps.push(() => started.kill());
  return started.url();
}

it('receives offers only from the suitable one of two agents', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'constraints-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  cleanUps.push(() => killProcessesOf(directory));
  const master = await startMaster({ port: 0, allocationIntervalMs: 50 });
  cleanUps.push(() => master.stop());
  /** With room for one task, so that no rest of an offer must be declined. */
  const agent = async (name: string, rack: string) => {
    const running = await startAgent({
      master: master.address,
      port: 0,
      workDir: join(directory, name),
      hostname: name,
      attributes: [{ name: 'rack', type: 'TEXT', text: { value: rack } }],
      resources: [
        { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } },
        { name: 'mem', type: 'SCALAR', scalar: { value: 64 } },
        { name: 'disk', type: 'SCALAR', scalar: { value: 100 } },
      ],
    });
    cleanUps.push(() => running.stop());
  };
  await agent('fits', 'row-1-a');
  await agent('other', 'row-2-a');
  const url = await scheduler(master.address, join(directory, 'data'));
  const fromMaster = async (path: string) => JSON.parse(await (await fetch(master.url + path)).text());
  const [framework] = await vi.waitFor(async () => {
    const { frameworks } = await fromMaster('/frameworks');
    expect(frameworks).toHaveLength(1);
    return frameworks;
  }, WITHIN);

  const post = async (id: string, instances: number, pattern: string) => {
    const constraints = [['rack', 'LIKE', pattern]];
    const app = { id, cmd: 'sleep 600', instances, cpus: 1, mem: 64, portDefinitions: [], constraints };
    const answer = await fetch(`${url}/v2/apps`, { method: 'POST', body: JSON.stringify(app) });
    expect(answer.status, await answer.text()).toBe(201);
  };
  const running = async (...hosts: string[]) =>
    vi.waitFor(async () => {
      const answer = await fetch(`${url}/v2/tasks`, { headers: { Accept: 'application/json' } });
      const { tasks } = (await answer.json()) as { tasks: { host: string; state: string }[] };
      expect(tasks.map(({ host, state }) => `${host} ${state}`).sort()).toEqual(
        hosts.map((host) => `${host} TASK_RUNNING`),
      );
    }, WITHIN);
  const declined = async (): Promise<number> => {
    const name = `master/frameworks/${framework.name}/${framework.id}/calls/decline`;
    return (await fromMaster('/metrics/snapshot'))[name] ?? 0;
  };
  const constraints = async () => (await fromMaster('/frameworks')).frameworks[0].offer_constraints;
  const group = (regex: string) => ({
    attribute_constraints: [{ selector: { attribute_name: 'rack' }, predicate: { text_matches: { regex } } }],
  });

  await post('/rows/one', 2, 'row-1-.*');
  await running('fits');
  const first = group('row-1-\\C*');
  await vi.waitFor(
    async () => expect(await constraints()).toEqual({ role_constraints: { '*': { groups: [first] } } }),
    WITHIN,
  );
  // The app has seen the other agent once, so the reason for its refusal is known.
  const explained = await fetch(`${url}/v2/apps/rows/one/explain`, {
    headers: { Accept: 'application/json' },
  });
  expect(await explained.json()).toMatchObject({ missing: 1, nearest: { hostname: 'other' } });
  const before = await declined();
  // The other agent was free all the time, until a suitable third one joins.
  await agent('fits-too', 'row-1-b');
  await running('fits', 'fits-too');
  expect(await declined()).toBe(before);

  await post('/rows/two', 1, 'row-2-.*');
  await running('fits', 'fits-too', 'other');
  expect(await constraints()).toEqual({});
});
