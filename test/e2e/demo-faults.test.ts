/** Kills one part of a demo at a time with -9, and expects that the demo recovers completely. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  containers,
  endpoints,
  engine,
  executors,
  mesosup,
  state,
  steady,
  until,
  workers,
} from './demo-cluster.ts';

beforeAll(async () => {
  const { exitCode, stderr } = await mesosup('demo', '--detach');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});
afterAll(async () => {
  expect((await mesosup('demo', 'down')).exitCode).toBe(0);
});

/** Kills a program of the demo and waits until the supervisor has started it again. */
async function killProgram(name: string): Promise<void> {
  const pid = (await state()).processes[name] ?? 0;
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
  await until(`${name} is started again`, async () => (await state()).processes[name] !== pid);
}

/** The number of agents at the master. */
async function activeAgents(): Promise<number> {
  const { masterUrl } = await state();
  const { slaves } = (await (await fetch(`${masterUrl}/slaves`)).json()) as { slaves: { active: boolean }[] };
  return slaves.filter((s) => s.active).length;
}

/** True after the scheduler has subscribed to the master and has received the state of every task. */
async function subscribed(): Promise<boolean> {
  const { masterUrl } = await state();
  const { frameworks } = (await (await fetch(`${masterUrl}/frameworks`)).json()) as {
    frameworks: { active: boolean }[];
  };
  return frameworks.length === 1 && frameworks[0]?.active === true;
}

describe('no container restarts', () => {
  test.each(['scheduler', 'agent1', 'agent2', 'master'])('after kill -9 of %s', async (name) => {
    await steady();
    const before = await containers();
    await killProgram(name);
    await until('both agents are back', async () => (await activeAgents()) === 2);
    await until('the scheduler is subscribed', subscribed);
    await steady();
    expect(await containers()).toEqual(before);
  });

  test('after kill -9 of an executor’s worker', async () => {
    await steady();
    const before = await containers();
    const [victim] = await executors();
    expect(victim).toBeDefined();
    process.kill(victim?.worker ?? 0, 'SIGKILL');
    await until('its supervisor has a new worker', async () =>
      (await executors()).some((e) => e.supervisor === victim?.supervisor && e.worker !== victim.worker),
    );
    await steady();
    expect(await containers()).toEqual(before);
  });
});

test('replaces all containers of an executor after kill -9 of its supervisor', async () => {
  await steady();
  const before = await containers();
  const [victim] = await executors();
  process.kill(victim?.supervisor ?? 0, 'SIGKILL');
  await until('a container was replaced', async () => {
    const now = await containers();
    return now.some((c) => !before.some((b) => b.id === c.id));
  });
  await steady();
  const after = await containers();
  expect(after).toHaveLength(2);
  expect(after.filter((c) => before.some((b) => b.id === c.id)).length).toBeLessThan(2);
  await until('every worker has its supervisor', async () => {
    const supervised = (await executors()).map((e) => e.worker).sort();
    return supervised.length === 2 && supervised.join() === (await workers()).sort().join();
  });
});

test('removes a container killed with -9 from /v1/endpoints within 2 s, and replaces it', async () => {
  await steady();
  const before = await containers();
  const listed = await endpoints();
  const [victim] = before;
  if (!victim) throw new Error('no container runs');
  const gone = until(
    'the killed container is gone from the endpoints',
    async () =>
      (await endpoints()).some((e) => listed.every((l) => l.port !== e.port)) ||
      (await endpoints()).length < 2,
    2000,
  );
  await engine.killContainer(victim.id);
  await gone;
  await until('it is replaced', async () => {
    const now = await containers();
    return now.length === 2 && now.every((c) => c.id !== victim.id);
  });
  await steady();
});
