import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ScriptedAgent } from '../../e2e/support/scripted-agent.ts';
import { DIST } from './run.ts';

const node = path.join(DIST, 'bin/node');

/** @returns milliseconds of each start, in turn: of a worker until its SUBSCRIBE, and of a program that does nothing */
export async function starts(runs: number): Promise<{ executor: number[]; bare: number[] }> {
  const executor: number[] = [];
  const bare: number[] = [];
  for (let i = 0; i <= runs; i += 1) {
    const [ours, theirs] = [await startWorker(), await startNothing()];
    if (i === 0) continue;
    executor.push(ours);
    bare.push(theirs);
  }
  return { executor, bare };
}

async function startWorker(): Promise<number> {
  const agent = await ScriptedAgent.start();
  const sandbox = await mkdtemp(path.join(tmpdir(), 'mesosup-bench-'));
  const env = {
    PATH: process.env.PATH,
    MESOS_AGENT_ENDPOINT: agent.endpoint,
    MESOS_SLAVE_ID: 'agent-S0',
    MESOS_FRAMEWORK_ID: `bench-${process.pid}`,
    MESOS_EXECUTOR_ID: 'docker',
    MESOS_DIRECTORY: sandbox,
    MESOS_SANDBOX: sandbox,
  };
  const began = performance.now();
  const worker = spawn(node, [path.join(DIST, 'lib/executor.js')], { env, cwd: sandbox, stdio: 'ignore' });
  try {
    await agent.subscription(1);
    return performance.now() - began;
  } finally {
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await agent.stop();
    await rm(sandbox, { recursive: true });
  }
}

async function startNothing(): Promise<number> {
  const began = performance.now();
  await once(spawn(node, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - began;
}
