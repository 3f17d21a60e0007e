/** Three masters that elect a leader in a real ZooKeeper, and the effect of a change on agents, tasks and frameworks. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Registry } from '../../src/embedded/master/registry.ts';
import { znodeStore } from '../../src/embedded/master/registry-store.ts';
import { detectFromList } from '../../src/mesos/leader.ts';
import type { MasterInfo } from '../../src/mesos/types.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { SmallFramework } from '../embedded/small-framework.ts';
import { ask, askJson, type Program, Programs } from './support/programs.ts';
import { shape } from './support/shapes.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';

/** ZooKeeper's tick time limits sessions; elections follow the end of sessions. */
const PATIENCE = { timeout: 20_000, interval: 50 };
const CREDENTIALS = 'mesos:open-sesame';

let zookeeper: Ensemble;
let session: ZooKeeperSession;

beforeAll(async () => {
  zookeeper = await startZooKeeper(1);
});

afterAll(() => zookeeper?.stop());

let programs: Programs;
let masters: Program[];
let agent: Program | undefined;
let framework: SmallFramework | undefined;
let tests = 0;
let path: string;
let zk: string;

const startMaster = (i: number) =>
  programs.master(
    [`--zk=${zk}`, '--quorum=2', '--zk_session_timeout=4secs', '--cluster=handover'],
    `master${i}`,
  );

beforeEach(async () => {
  tests += 1;
  path = `/mesos${tests}`;
  programs = new Programs();
  zk = `file://${programs.secret('zk', `zk://${CREDENTIALS}@${zookeeper.hosts}${path}\n`)}`;
  // This session only observes, and may be slow on a busy machine.
  session = await openZooKeeper({
    servers: zookeeper.servers,
    credentials: CREDENTIALS,
    timeoutMs: 30_000,
  });
  masters = await Promise.all([0, 1, 2].map(startMaster));
  agent = undefined;
  framework = undefined;
});

afterEach(async () => {
  await framework?.end();
  await session.close();
  await programs[Symbol.asyncDispose]();
});

const metric = async (program: Program, name: string) =>
  (await askJson<Record<string, number>>(program.address, '/metrics/snapshot'))[name];

/** Waits until one of these masters leads and the other ones know it. */
async function elected(among: Program[] = masters): Promise<{ leader: Program; followers: Program[] }> {
  return vi.waitFor(async () => {
    const leads = await Promise.all(among.map((master) => metric(master, 'master/elected')));
    expect(leads.filter((value) => value === 1)).toHaveLength(1);
    const whole = await Promise.all(among.map((master) => metric(master, 'registrar/log/recovered')));
    expect(whole).toEqual(among.map(() => 1));
    const leader = among[leads.indexOf(1)] as Program;
    return { leader, followers: among.filter((master) => master !== leader) };
  }, PATIENCE);
}

interface State {
  pid: string;
  leader: string;
  slaves: { id: string; active: boolean; deactivated: boolean }[];
  recovered_slaves: { id: string }[];
}
const state = (master: Program) => askJson<State>(master.address, '/state');

it('publish themselves like Mesos, lead one at a time, and redirect', async () => {
  const { leader, followers } = await elected();
  // Installers recognize masters with a registry by this directory.
  expect([0, 1, 2].map((i) => existsSync(join(programs.directory, `master${i}`, 'replicated_log')))).toEqual([
    true,
    true,
    true,
  ]);
  const names = ((await session.children(path)) ?? []).filter((name) => name.startsWith('json.info_'));
  expect(names).toHaveLength(3);
  for (const name of names) {
    const info = JSON.parse(
      (await session.get(`${path}/${name}`))?.data.toString('utf8') ?? '',
    ) as MasterInfo;
    // As in the transcript of a real master.
    expect(shape(info)).toEqual(
      [
        ...['address', 'address.hostname', 'address.ip', 'address.port', 'capabilities', 'capabilities[]'],
        ...['capabilities[].type', 'hostname', 'id', 'ip', 'pid', 'port', 'version'],
      ].sort(),
    );
    expect(info).toMatchObject({ ip: 16_777_343, pid: `master@127.0.0.1:${info.port}` });
  }
  const { leader: pid } = await state(leader);
  expect(pid).toBe(`master@${leader.address}`);
  const at = `//localhost:${leader.address.split(':')[1]}`;
  for (const follower of followers) {
    for (const open of ['/health', '/version', '/flags', '/metrics/snapshot']) {
      expect((await ask(follower.address, open)).status).toBe(200);
    }
    for (const [asked, location] of [
      ['/redirect', at],
      ['/master/redirect', at],
      ['/state', `${at}/master/state`],
      ['/master/slaves?x=1', `${at}/master/slaves?x=1`],
    ] as const) {
      expect(await ask(follower.address, asked)).toMatchObject({ status: 307, headers: { location } });
    }
    for (const called of ['/api/v1', '/api/v1/scheduler', '/master/api/v1/scheduler']) {
      expect(await ask(follower.address, called, { body: { type: 'GET_STATE' } })).toMatchObject({
        status: 307,
        headers: { location: `${at}/master${called.replace('/master', '')}` },
      });
    }
  }
});

it('hand over agents, tasks and frameworks when the leader dies', async () => {
  const { leader, followers } = await elected();
  agent = await programs.agent(zk);
  framework = new SmallFramework(detectFromList(masters.map(({ address }) => address)));
  await framework.launch('c', { command: 'exec sleep 1000' });
  const before = await framework.reached('c', 'TASK_RUNNING');
  const id = before.agent_id?.value ?? '';
  const body = { type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: { value: id } } };
  expect((await ask(leader.address, '/api/v1', { body })).status).toBe(200);
  const frameworkId = framework.info.id;
  await leader.kill('SIGKILL');
  const next = await elected(followers);
  await agent.waitForOutput(new RegExp(`Registered with master master@${next.leader.address}`));
  await framework.subscribed(2);
  expect(framework.info.id).toEqual(frameworkId);
  // The operator's settings of the agent are in the registry.
  expect((await state(next.leader)).slaves).toMatchObject([{ id, active: false, deactivated: true }]);
  expect(await metric(next.leader, 'master/tasks_running')).toBe(1);
  const undo = { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: { value: id } } };
  expect((await ask(next.leader.address, '/api/v1', { body: undo })).status).toBe(200);
  expect(framework.statuses('c').at(-1)?.state).toBe('TASK_RUNNING');
  await framework.launch('d', { command: 'exit 0' });
  expect(await framework.reached('d', 'TASK_FINISHED')).toMatchObject({ agent_id: { value: id } });
  await framework.kill('c');
  expect(await framework.reached('c', 'TASK_KILLED')).toMatchObject({
    container_status: { container_id: before.container_status?.container_id },
  });
});

it('send nothing about the tasks of agents that have not returned since the election', async () => {
  const { leader, followers } = await elected();
  agent = await programs.agent(zk);
  framework = new SmallFramework(detectFromList(masters.map(({ address }) => address)));
  await framework.launch('c', { command: 'exec sleep 1000' });
  const id = (await framework.reached('c', 'TASK_RUNNING')).agent_id?.value ?? '';
  await agent.kill('SIGKILL');
  await leader.kill('SIGKILL');
  const next = await elected(followers);
  expect(await state(next.leader)).toMatchObject({ slaves: [], recovered_slaves: [{ id }] });
  await framework.subscribed(2);
  const known = framework.statuses('c').length;
  await framework.reconcile('c', id);
  await framework.reconcile('never', 'no-such-agent');
  // Answers come in order: the first question has none.
  await framework.reached('never', 'TASK_UNKNOWN');
  expect(framework.statuses('c')).toHaveLength(known);
});

it('a leader that was frozen ends when it detects a new leader', async () => {
  const { leader, followers } = await elected();
  process.kill(leader.pid, 'SIGSTOP');
  const next = await elected(followers);
  process.kill(leader.pid, 'SIGCONT');
  expect(await leader.exit).toBe(1);
  expect(leader.log()).toContain('Lost leadership');
  expect(await metric(next.leader, 'master/elected')).toBe(1);
});

it('end or wait without ZooKeeper, and elect a leader again when it is back', async () => {
  const { leader, followers } = await elected();
  await zookeeper.processes[0].kill('SIGKILL');
  try {
    expect(await leader.exit).toBe(1);
    await vi.waitFor(async () => {
      for (const follower of followers) {
        for (const asked of ['/redirect', '/state']) {
          expect(await ask(follower.address, asked)).toMatchObject({
            status: 503,
            text: 'No leader elected',
          });
        }
      }
    }, PATIENCE);
    expect((await ask(followers[0]?.address ?? '', '/health')).status).toBe(200);
  } finally {
    await zookeeper.processes[0].start();
    await zookeeper.ready();
  }
  const again = await startMaster(0);
  await elected([...followers, again]);
});

it('a former leader can not overwrite its successor’s registry', async () => {
  const empty: Registry = { agents: [], unreachable: [], gone: [] };
  const full: Registry = { ...empty, gone: [{ id: 'x', since: 1 }] };
  const [deposed, successor] = [0, 1].map(() => znodeStore(session, `${path}/registry-of-two`));
  await elected();
  expect(await deposed?.load()).toBeUndefined();
  await deposed?.save(empty);
  expect(await successor?.load()).toEqual(empty);
  await successor?.save(full);
  await expect(deposed?.save(empty)).rejects.toMatchObject({ code: 'BAD_VERSION' });
  await successor?.save(full);
  expect(await znodeStore(session, `${path}/registry-of-two`).load()).toEqual(full);
});

it('create a registry only when all of them run, and then continue with two', async () => {
  await Promise.all(masters.map((master) => master.kill('SIGKILL')));
  zk = `file://${programs.secret('zk-new', `zk://${CREDENTIALS}@${zookeeper.hosts}${path}-new\n`)}`;
  const two = await Promise.all([3, 4].map(startMaster));
  const leads = await vi.waitFor(async () => {
    const values = await Promise.all(two.map((master) => metric(master, 'master/elected')));
    const leader = two[values.indexOf(1)];
    if (!leader) throw new Error('none is elected');
    return leader;
  }, PATIENCE);
  for (let look = 0; look < 5; look++) {
    expect(await metric(leads, 'registrar/log/recovered')).toBe(0);
    await sleep(200);
  }
  const third = await startMaster(5);
  await elected([...two, third]);
  await third.kill('SIGKILL');
  await two[0]?.kill('SIGKILL');
  await elected([await startMaster(3), ...two.slice(1)]);
});

it('do not show the password', async () => {
  await elected();
  agent = await programs.agent(zk);
  await agent.waitForOutput(/Registered with master/);
  for (const program of [...masters, agent]) {
    const flags = await ask(program.address, '/flags');
    expect(flags.text).toContain('file://');
    expect(flags.text + program.log()).not.toContain('open-sesame');
  }
});
