import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SmallFramework } from '../../test/embedded/small-framework.ts';
import { readText, send } from '../mesos/http.ts';
import type { ExecutorInfo } from '../mesos/types.ts';
import { type AgentOptions, startAgent } from './start-agent.ts';
import { type MasterOptions, type Running, startMaster } from './start-master.ts';
import { parseAttributes, parseResources } from './wire/resource-text.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Time limit for starts of processes, also on a busy machine. */
const PATIENCE = { timeout: 10_000, interval: 10 };

let workDir: string;
let master: Running;
let agent: Running | undefined;
let framework: SmallFramework;

const options = (more: Partial<AgentOptions> = {}): AgentOptions => ({
  master: master.address,
  workDir,
  port: agent ? Number(agent.address.split(':')[1]) : 0,
  resources: parseResources('cpus:4;mem:1024;ports:[31000-31009]'),
  ...more,
});

async function start(more: Partial<AgentOptions> = {}): Promise<void> {
  agent = await startAgent(options(more));
}

/** An executor that never subscribes. */
const silent: ExecutorInfo = {
  executor_id: { value: 'silent' },
  command: { value: 'exec sleep 1000' },
  resources: parseResources('cpus:0.1'),
};

/** Uses a new connection: kept-alive ones would not survive the restarts here. */
async function getJson<T>(url: string): Promise<T> {
  const { body } = await send({ url: new URL(url), method: 'GET' });
  return JSON.parse(await readText(body)) as T;
}
interface AgentState {
  id: string;
  frameworks: { executors: { directory: string; tasks: { id: string; state: string }[] }[] }[];
}
const state = () => getJson<AgentState>(`${agent?.url}/state`);
const containers = () => getJson<{ status: { executor_pid?: number } }[]>(`${agent?.url}/containers`);

/** A master and a framework on it. */
async function startFresh(more: MasterOptions = {}): Promise<void> {
  master = await startMaster({ port: 0, allocationIntervalMs: 50, ...more });
  framework = new SmallFramework(master.address);
}

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'mesosup-agent-'));
  agent = undefined;
  await startFresh();
});

afterEach(async () => {
  await framework.end();
  // Executors end with their framework, and only the agent knows when.
  if (agent) await vi.waitFor(async () => expect(await containers()).toEqual([]), PATIENCE);
  await agent?.stop();
  await master.stop();
  rmSync(workDir, { recursive: true, force: true });
});

describe('a command task', () => {
  it('runs in its sandbox, and its exit status is in the message', async () => {
    await start();
    await framework.launch('c', { command: 'echo "$0 in $PWD"; exit 3' });
    const failed = await framework.reached('c', 'TASK_FAILED');
    expect(failed).toMatchObject({ message: 'Command exited with status 3', source: 'SOURCE_EXECUTOR' });
    expect(framework.statuses('c').map((s) => s.state)).toEqual([
      'TASK_STARTING',
      'TASK_RUNNING',
      'TASK_FAILED',
    ]);
    const executors = join(
      workDir,
      'slaves',
      failed.agent_id?.value ?? '',
      'frameworks',
      framework.info.id?.value ?? '',
      'executors',
    );
    expect(readdirSync(executors)).toEqual(['c']);
    const sandbox = join(executors, 'c', 'runs', failed.container_status?.container_id?.value ?? '');
    expect(readFileSync(join(executors, 'c', 'runs', 'latest', 'stdout'), 'utf8')).toBe(`sh in ${sandbox}\n`);
  });

  it('that ignores SIGTERM is killed after its grace period', async () => {
    await start();
    await framework.launch('c', { command: "trap '' TERM; echo up; while :; do sleep 0.1; done" });
    await framework.reached('c', 'TASK_RUNNING');
    const [executor] = (await state()).frameworks[0]?.executors ?? [];
    const stdout = join(executor?.directory ?? '', 'stdout');
    await vi.waitFor(() => expect(readFileSync(stdout, 'utf8')).toBe('up\n'), PATIENCE);
    await framework.kill('c', 100);
    expect(await framework.reached('c', 'TASK_KILLED')).toMatchObject({
      message: 'Command terminated with signal Killed',
    });
  });

  it('survives a restart of the agent, and can be killed afterwards', async () => {
    await start();
    await framework.launch('c', { command: 'exec sleep 1000' });
    await framework.reached('c', 'TASK_RUNNING');
    const before = await containers();
    const { id } = await state();
    await agent?.stop();
    await start();
    expect(await containers()).toEqual(before);
    expect((await state()).id).toBe(id);
    await vi.waitFor(async () => {
      const { slaves } = await getJson<{ slaves: { active: boolean }[] }>(`${master.url}/slaves`);
      expect(slaves).toMatchObject([{ active: true }]);
    }, PATIENCE);
    await framework.kill('c');
    await framework.reached('c', 'TASK_KILLED');
    expect(framework.statuses('c').map((s) => s.state)).not.toContain('TASK_LOST');
  });

  it('of an unknown user is dropped', async () => {
    await framework.end();
    framework = new SmallFramework(master.address, { user: 'no-such-user-here' });
    await start();
    await framework.launch('c', { command: 'true' });
    expect(await framework.reached('c', 'TASK_DROPPED')).toMatchObject({
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: expect.stringContaining("No such user 'no-such-user-here'"),
    });
  });
});

describe('an executor', () => {
  it('that does not subscribe in time is killed, its task failed', async () => {
    await start({ executorRegistrationTimeoutMs: 100 });
    await framework.launch('t', { executor: silent });
    expect(await framework.reached('t', 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
      message: 'Executor did not register within 100ms',
    });
    expect(framework.events).toContainEqual({
      type: 'FAILURE',
      failure: { agent_id: expect.anything(), executor_id: { value: 'silent' }, status: 9 },
    });
  });

  it('that exits fails its tasks', async () => {
    await start();
    await framework.launch('t', { executor: { ...silent, command: { value: 'exit 1' } } });
    expect(await framework.reached('t', 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated',
    });
  });

  it('that stays silent after a restart of the agent is killed, its task gone', async () => {
    await start();
    await framework.launch('t', { executor: silent });
    await vi.waitFor(
      async () => expect((await containers())[0]?.status.executor_pid).toBeGreaterThan(0),
      PATIENCE,
    );
    await agent?.stop();
    await start({ executorReregistrationTimeoutMs: 100 });
    expect(await framework.reached('t', 'TASK_GONE')).toMatchObject({
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: 'Executor did not reregister within 100ms',
    });
  });

  it('that ended while the agent was down has its task failed', async () => {
    await start();
    await framework.launch('t', { executor: silent });
    const pid = await vi.waitFor(async () => {
      const [container] = await containers();
      expect(container?.status.executor_pid).toBeGreaterThan(0);
      return container?.status.executor_pid as number;
    }, PATIENCE);
    await agent?.stop();
    process.kill(pid, 'SIGKILL');
    await start();
    expect(await framework.reached('t', 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_EXECUTOR_TERMINATED',
    });
  });

  it('is shut down if its only task was killed before delivery', async () => {
    await start({ executorShutdownGracePeriodMs: 50 });
    await framework.launch('t', { executor: silent });
    await vi.waitFor(async () => expect(await containers()).toHaveLength(1), PATIENCE);
    await framework.kill('t');
    expect(await framework.reached('t', 'TASK_KILLED')).toMatchObject({
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    });
  });
});

describe('an agent', () => {
  it('that is disconnected too long is unreachable, and reports its tasks when it returns', async () => {
    await framework.end();
    await master.stop();
    await startFresh({ agentPingTimeoutMs: 300, maxAgentPingTimeouts: 2 });
    await start();
    await framework.launch('c', { command: 'exec sleep 1000' });
    await framework.reached('c', 'TASK_RUNNING');
    await agent?.stop();
    await framework.reached('c', 'TASK_UNREACHABLE');
    await start();
    await vi.waitFor(
      () =>
        expect(framework.statuses('c')).toContainEqual(
          expect.objectContaining({ state: 'TASK_RUNNING', reason: 'REASON_SLAVE_REREGISTERED' }),
        ),
      PATIENCE,
    );
  });

  it('may add resources but not change them with the same work directory', async () => {
    await start({ attributes: parseAttributes('rack:a') });
    await vi.waitFor(async () => expect((await state()).id).not.toBe(''), PATIENCE);
    const { id } = await state();
    await agent?.stop();
    const additive = { reconfigurationPolicy: 'additive' } as const;
    await expect(startAgent(options({ attributes: parseAttributes('rack:b'), ...additive }))).rejects.toThrow(
      "Value of text attribute 'rack' changed from a to b",
    );
    await start({
      ...additive,
      attributes: parseAttributes('rack:a;zone:b'),
      resources: parseResources('cpus:5;mem:1024;ports:[31000-31009]'),
    });
    expect((await state()).id).toBe(id);
    await vi.waitFor(async () => {
      const { slaves } = await getJson<{ slaves: object[] }>(`${master.url}/slaves`);
      expect(slaves).toMatchObject([{ id, resources: { cpus: 5 }, attributes: { rack: 'a', zone: 'b' } }]);
    }, PATIENCE);
  });
});
