/** Operators' calls for agents over `/api/v1`, with the answers of Mesos 1.11, and their effect on frameworks. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SmallFramework } from '../embedded/small-framework.ts';
import { freePorts } from '../support/free-ports.ts';
import { type Behaviour, encodeJson } from './support/behaviour.ts';
import { ask, askJson, type Program, Programs } from './support/programs.ts';
import { executorInfo } from './support/tasks.ts';

const PATIENCE = { timeout: 10_000, interval: 20 };

let programs: Programs;
let port: number;
let master: Program;
let agent: Program;
let agentPort: number;
let framework: SmallFramework;

const startMaster = async () => {
  // An agent detects the restart of its master only by missed pings.
  master = await programs.master([`--port=${port}`, '--agent_ping_timeout=1secs']);
};
const startAgent = async (...flags: string[]) => {
  agent = await programs.agent(master.address, [`--port=${agentPort}`, ...flags]);
};

beforeEach(async () => {
  programs = new Programs();
  [port = 0, agentPort = 0] = await freePorts(2);
  await startMaster();
  await startAgent();
  framework = new SmallFramework(master.address);
});

afterEach(async () => {
  await framework.end();
  await programs[Symbol.asyncDispose]();
});

interface Slave {
  id: string;
  active: boolean;
  deactivated: boolean;
  drain_info?: { state: string; config: object };
}

async function slaves(): Promise<Slave[]> {
  return (await askJson<{ slaves: Slave[] }>(master.address, '/slaves')).slaves;
}

async function slave(): Promise<Slave> {
  const [found] = await vi.waitUntil(async () => {
    const all = await slaves();
    return all.length > 0 && all;
  }, PATIENCE);
  if (!found) throw new Error('there is no agent');
  return found;
}

async function call(type: string, agentId: string, more: object = {}) {
  const body = { type, [type.toLowerCase()]: { agent_id: { value: agentId }, ...more } };
  const { status, text } = await ask(master.address, '/api/v1', { body });
  return { status, text };
}

const OK = { status: 200, text: '' };

/** A task of the test executor, running. */
async function run(id: string, behaviour: Behaviour = {}, more: object = {}): Promise<void> {
  const executor = executorInfo(`executor-${id}`);
  await framework.launch(id, { executor }, 'cpus:0.1;mem:32', { data: encodeJson(behaviour), ...more });
  await framework.reached(id, 'TASK_RUNNING');
}

function drained(): Promise<void> {
  return vi.waitFor(async () => expect((await slave()).drain_info?.state).toBe('DRAINED'), PATIENCE);
}

it('DEACTIVATE_AGENT stops the offers of an agent and keeps its tasks, REACTIVATE_AGENT resumes them', async () => {
  await run('t');
  await vi.waitFor(() => expect(framework.offers).toHaveLength(1), PATIENCE);
  const { id } = await slave();
  expect(await call('REACTIVATE_AGENT', id)).toEqual({ status: 400, text: 'Agent is not deactivated' });
  expect(await call('DEACTIVATE_AGENT', id)).toEqual(OK);
  await vi.waitFor(() => expect(framework.offers).toHaveLength(0), PATIENCE);
  expect(await slave()).toMatchObject({ active: false, deactivated: true });
  expect(await askJson(master.address, '/metrics/snapshot')).toMatchObject({
    'master/slaves_connected': 1,
    'master/slaves_active': 0,
    'master/slaves_inactive': 1,
    'master/tasks_running': 1,
  });
  expect(await call('REACTIVATE_AGENT', id)).toEqual(OK);
  await vi.waitFor(() => expect(framework.offers).toHaveLength(1), PATIENCE);
  expect(await slave()).toMatchObject({ active: true, deactivated: false });
});

it('DRAIN_AGENT kills the tasks of an agent, which is then DRAINED, and offered again after REACTIVATE_AGENT', async () => {
  await run('t');
  // It ends late enough for the call after the next one.
  await framework.launch('c', { command: "trap 'sleep 1; exit' TERM; while :; do sleep 0.1; done" });
  await framework.reached('c', 'TASK_RUNNING');
  const { id } = await slave();
  expect(await call('DRAIN_AGENT', id, { max_grace_period: { seconds: 5 } })).toEqual(OK);
  expect(await call('REACTIVATE_AGENT', id)).toEqual({
    status: 400,
    text: 'Agent is still in the DRAINING state',
  });
  for (const task of ['t', 'c']) {
    expect(await framework.reached(task, 'TASK_KILLED')).toMatchObject({ reason: 'REASON_SLAVE_DRAINING' });
  }
  await drained();
  const drain_info = {
    state: 'DRAINED',
    config: { max_grace_period: { nanoseconds: 5_000_000_000 }, mark_gone: false },
  };
  expect(await slave()).toMatchObject({ id, active: false, deactivated: true, drain_info });
  const agents = await ask(master.address, '/api/v1', { body: { type: 'GET_AGENTS' } });
  expect(JSON.parse(agents.text).get_agents).toMatchObject({
    agents: [{ active: false, deactivated: true, drain_info, estimated_drain_start_time: {} }],
    recovered_agents: [],
  });
  expect(await call('REACTIVATE_AGENT', id)).toEqual(OK);
  const back = await slave();
  expect(back).toMatchObject({ id, active: true, deactivated: false });
  expect(back.drain_info).toBeUndefined();
});

it('the grace period of DRAIN_AGENT shortens that of a command task with an HTTP executor', async () => {
  await agent.kill('SIGKILL');
  await startAgent('--http_command_executor');
  const kill_policy = { grace_period: { nanoseconds: 3_600_000_000_000 } };
  await framework.launch(
    'c',
    { command: "trap '' TERM; echo up; while :; do sleep 0.1; done" },
    'cpus:0.1;mem:32',
    { kill_policy },
  );
  const { container_status, agent_id } = await framework.reached('c', 'TASK_RUNNING');
  const run = ['executors', 'c', 'runs', container_status?.container_id?.value ?? '', 'stdout'];
  const frameworks = ['slaves', agent_id?.value ?? '', 'frameworks', framework.info.id?.value ?? ''];
  const stdout = join(programs.directory, 'agent', ...frameworks, ...run);
  await vi.waitFor(() => expect(readFileSync(stdout, 'utf8')).toBe('up\n'), PATIENCE);
  expect(
    await call('DRAIN_AGENT', agent_id?.value ?? '', { max_grace_period: { nanos: 100_000_000 } }),
  ).toEqual(OK);
  expect(await framework.reached('c', 'TASK_KILLED')).toMatchObject({
    message: 'Command terminated with signal Killed',
  });
  await drained();
});

it('draining continues over restarts of master and agent', async () => {
  await run('stubborn', { kill: 'ignore' });
  const { id } = await slave();
  expect(await call('DRAIN_AGENT', id)).toEqual(OK);
  await agent.waitForOutput(/Initiating drain with/);
  await agent.kill('SIGKILL');
  await master.kill('SIGKILL');
  await startAgent('--executor_reregistration_timeout=10secs');
  // The agent has stored the request.
  await agent.waitForOutput(/Initiating drain with/);
  await startMaster();
  expect(await slave()).toMatchObject({ id, deactivated: true, drain_info: { state: 'DRAINING' } });
  expect(await call('REACTIVATE_AGENT', id)).toEqual({
    status: 400,
    text: 'Agent is still in the DRAINING state',
  });
  await framework.subscribed(2);
  await framework.end();
  await vi.waitFor(async () => expect((await slave()).drain_info?.state).toBe('DRAINED'), PATIENCE);
  await agent.waitForOutput(/Agent finished draining/);
  expect(await call('REACTIVATE_AGENT', id)).toEqual(OK);
});

it('a draining agent refuses a new task', async () => {
  await run('stubborn', { kill: 'ignore' });
  const { id } = await slave();
  expect(await call('DRAIN_AGENT', id, { mark_gone: false })).toEqual(OK);
  await agent.waitForOutput(/Initiating drain with/);
  // As in Mesos, the agent drains until its executors are gone, even if the master offers it again.
  await master.kill('SIGKILL');
  programs.secret('master/replicated_log/registry.json', { agents: [], unreachable: [], gone: [] });
  await startMaster();
  await framework.launch('late', { command: 'exit 0' });
  expect(await framework.reached('late', 'TASK_DROPPED')).toMatchObject({
    reason: 'REASON_SLAVE_DRAINING',
    message: 'Task was received while agent was already draining',
  });
});

it('DRAIN_AGENT with mark_gone ends the tasks as gone, and then the agent', async () => {
  await run('t');
  const { id } = await slave();
  expect(await call('DRAIN_AGENT', id, { mark_gone: true })).toEqual(OK);
  expect(await framework.reached('t', 'TASK_GONE_BY_OPERATOR')).toMatchObject({
    source: 'SOURCE_EXECUTOR',
    reason: 'REASON_SLAVE_DRAINING',
  });
  expect(await agent.exit).toBe(0);
  expect(agent.log()).toContain("because 'Agent has been marked gone'");
  expect(await slaves()).toEqual([]);
});

it('MARK_AGENT_GONE ends tasks and agent immediately; the agent may not return', async () => {
  await run('t', { shutdown: 'obey' });
  const { id } = await slave();
  expect(await call('MARK_AGENT_GONE', id)).toEqual(OK);
  expect(await framework.reached('t', 'TASK_GONE_BY_OPERATOR')).toMatchObject({
    source: 'SOURCE_MASTER',
    reason: 'REASON_SLAVE_REMOVED_BY_OPERATOR',
    message: 'Agent has been marked gone',
  });
  expect(await agent.exit).toBe(0);
  expect(await call('MARK_AGENT_GONE', id)).toEqual(OK);
  await master.kill('SIGKILL');
  await startMaster();
  const again = await programs.spawn('agent', [
    ...programs.agentFlags(master.address),
    `--port=${agentPort}`,
  ]);
  expect(await again.exit).toBe(0);
  expect(again.log()).toContain("because 'Agent has been marked gone'");
});

it.each([
  ['DRAIN_AGENT', 400, 'Unknown agent'],
  ['DEACTIVATE_AGENT', 400, 'Unknown agent'],
  ['REACTIVATE_AGENT', 400, 'Agent is not deactivated'],
  ['MARK_AGENT_GONE', 404, "Agent 'x' not found"],
])('%s of an unknown agent is refused', async (type, status, text) => {
  expect(await call(type, 'x')).toEqual({ status, text });
  const bare = await ask(master.address, '/api/v1', { body: { type } });
  expect(bare).toMatchObject({
    status: 400,
    text: `Failed to validate master::Call: Expecting '${type.toLowerCase()}' to be present`,
  });
  const empty = await ask(master.address, '/api/v1', { body: { type, [type.toLowerCase()]: {} } });
  expect(empty).toMatchObject({ status: 400, text: expect.stringContaining('Missing required fields') });
});
