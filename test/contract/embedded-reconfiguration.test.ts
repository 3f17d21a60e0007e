/** Restarts of an agent with another configuration or with `--recover=cleanup`. */

import { existsSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SmallFramework } from '../embedded/small-framework.ts';
import { freePort } from '../support/free-ports.ts';
import { decodeJson, encodeJson, type Report } from './support/behaviour.ts';
import { gone, isAlive } from './support/embedded.ts';
import { askJson, type Program, Programs } from './support/programs.ts';
import { executorInfo } from './support/tasks.ts';

const PATIENCE = { timeout: 10_000, interval: 20 };
const RESOURCES = '--resources=cpus:4;mem:1024;disk:1000;ports:[31000-31009]';

let programs: Programs;
let port: number;
let master: Program;
let agent: Program;
let framework: SmallFramework;
let executorPid: number;
let agentId: string;

function flagsOf(change: Record<string, string>): string[] {
  const flags: Record<string, string> = {
    port: String(port),
    hostname: 'localhost',
    attributes: 'rack:a',
    resources: RESOURCES.replace('--resources=', ''),
    executor_reregistration_timeout: '10secs',
    ...change,
  };
  return [
    ...programs.agentFlags(master.address).filter((flag) => !flag.startsWith('--resources')),
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ];
}

async function launch(id: string): Promise<{ agentId: string; pid: number }> {
  const data = encodeJson({});
  await framework.launch(id, { executor: executorInfo(`executor-${id}`) }, 'cpus:0.1;mem:32', { data });
  const status = await framework.reached(id, 'TASK_RUNNING');
  return { agentId: status.agent_id?.value ?? '', pid: decodeJson<Report>(status.data).pid };
}

/** A restart is invisible. An update is repeated if the agent died before it recorded the acknowledgement. */
function expectOnlyRunning(id: string): void {
  expect(new Set(framework.statuses(id).map(({ state }) => state))).toEqual(new Set(['TASK_RUNNING']));
}

const latest = () => join(programs.directory, 'agent', 'meta', 'slaves', 'latest');

beforeEach(async () => {
  programs = new Programs();
  port = await freePort();
  master = await programs.master();
  agent = await programs.start('agent', flagsOf({}));
  framework = new SmallFramework(master.address);
  ({ agentId, pid: executorPid } = await launch('t'));
});

afterEach(async () => {
  await framework.end();
  await programs[Symbol.asyncDispose]();
});

it('stores its id in the link that installers read', () => {
  expect(basename(readlinkSync(latest()))).toBe(agentId);
  expect(existsSync(join(latest(), 'slave.info'))).toBe(true);
});

it('an agent continues after a restart without changes, with the policy equal', async () => {
  await agent.kill('SIGTERM');
  agent = await programs.start('agent', flagsOf({}));
  expect((await launch('u')).agentId).toBe(agentId);
  expect(isAlive(executorPid)).toBe(true);
  expectOnlyRunning('t');
});

describe('a change', () => {
  const additive = { reconfiguration_policy: 'additive' };

  it('that adds resources keeps agent and tasks with the policy additive', async () => {
    await agent.kill('SIGKILL');
    const more = { attributes: 'rack:a;zone:z', resources: 'cpus:5;mem:1024;disk:1000;ports:[31000-31019]' };
    agent = await programs.start('agent', flagsOf({ ...additive, ...more }));
    await vi.waitFor(async () => {
      const { slaves } = await askJson<{ slaves: object[] }>(master.address, '/slaves');
      expect(slaves).toMatchObject([
        { id: agentId, attributes: { rack: 'a', zone: 'z' }, resources: { cpus: 5 }, active: true },
      ]);
    }, PATIENCE);
    expect((await launch('u')).agentId).toBe(agentId);
    expect(isAlive(executorPid)).toBe(true);
    expectOnlyRunning('t');
  });

  it.each([
    [{ attributes: 'rack:b' }, "Value of text attribute 'rack' changed from a to b"],
    [{ attributes: 'zone:z' }, "Couldn't find attribute rack:a"],
    [{ hostname: 'other' }, 'Hostname changed from localhost to other'],
    [{ port: '0' }, 'Port changed from'],
    [{ resources: 'cpus:3;mem:1024;disk:1000;ports:[31000-31009]' }, "'cpus' decreased from 4 to 3"],
  ])('%j ends the agent, and leaves everything as it was', async (change, reason) => {
    await agent.kill('SIGKILL');
    const changed = await programs.spawn('agent', flagsOf({ ...additive, ...change }));
    expect(await changed.exit).toBe(1);
    expect(changed.log()).toContain('Incompatible agent info detected');
    expect(changed.log()).toContain(reason);
    expect(changed.log()).toContain(`rm -f ${latest()}`);
    expect(basename(readlinkSync(latest()))).toBe(agentId);
    expect(isAlive(executorPid)).toBe(true);
    agent = await programs.start('agent', flagsOf(additive));
    expect((await launch('u')).agentId).toBe(agentId);
    expectOnlyRunning('t');
  });

  it('that adds attributes is refused with the policy equal', async () => {
    await agent.kill('SIGKILL');
    const changed = await programs.spawn('agent', flagsOf({ attributes: 'rack:a;zone:z' }));
    expect(await changed.exit).toBe(1);
    expect(changed.log()).toContain('Incompatible agent info detected');
    expect(changed.log()).toContain('"attributes":"rack:a; zone:z"');
  });
});

it('without the link a new agent starts, and the executors of the old one end', async () => {
  await agent.kill('SIGTERM');
  rmSync(latest());
  agent = await programs.start('agent', flagsOf({ attributes: 'rack:b' }));
  await gone(executorPid);
  const replaced = await launch('u');
  expect(replaced.agentId).not.toBe(agentId);
  expect(basename(readlinkSync(latest()))).toBe(replaced.agentId);
});

it('--recover=cleanup kills the executors of an earlier run, and ends; the next start creates a new agent', async () => {
  await agent.kill('SIGKILL');
  const cleanup = await programs.spawn('agent', flagsOf({ recover: 'cleanup' }));
  expect(await cleanup.exit).toBe(0);
  await gone(executorPid);
  expect(existsSync(latest())).toBe(false);
  agent = await programs.start('agent', flagsOf({}));
  expect((await launch('u')).agentId).not.toBe(agentId);
});
