import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { MesosupError } from '../errors/mesosup-error.ts';
import { cleanUp } from './clean-up.ts';
import { type DemoPlan, MARK, planDemo } from './demo-plan.ts';
import { claimDirectory, type DemoState, identifySelf, inspectDirectory, writeState } from './directory.ts';
import { EXECUTOR_PATH, makeLink } from './executor-link.ts';
import { portsInUse } from './ports.ts';
import type { SupervisorOrder } from './supervisor-main.ts';

export interface ClusterOptions {
  agents: number;
  /** Keep running when this process ends. */
  detach: boolean;
  /** The directory of the demo's state. */
  dir: string;
  /** The directory of the build, with `lib` and `executors`. */
  root: string;
  /** Host name of the agents, also reachable from containers. */
  hostname: string;
  /** Run the load balancer too. */
  lb: boolean;
  /** Waits for its order. */
  supervisor: ChildProcess;
}

/** A started demo cluster. Its programs may not answer yet. */
export interface DemoCluster {
  plan: DemoPlan;
  /** The reason why the executor's path is not the one of the 2013 page; undefined if it is. */
  linkReason: string | undefined;
  /** Resolves when the supervisor ends, for any reason. */
  ended: Promise<void>;
  /** Lets this process end while the demo continues. */
  release(): void;
  /** Ends the demo and resolves when all of it is removed. */
  stop(): Promise<void>;
}

/**
 * Starts the process of a supervisor, which ends with this process unless it has an order. The demo's first steps need
 * none, and it takes as long to start as they take.
 */
export function spawnSupervisor(root: string, dir: string): ChildProcess {
  // A new session, so that Ctrl-C in the terminal does not reach the supervisor.
  const supervisor = spawn(process.execPath, [path.join(root, 'lib/demo-supervisor.js')], {
    cwd: '/',
    detached: true,
    env: { ...process.env, [MARK]: dir },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  supervisor.stdin.on('error', () => undefined);
  return supervisor;
}

/** Ends a supervisor that has no order. */
export async function endSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const ended = once(supervisor, 'exit');
  supervisor.kill('SIGKILL');
  await ended;
}

/**
 * Starts the demo's programs. Removes the remains of a killed demo first.
 *
 * @throws MesosupError if a demo is already running
 */
export async function startCluster({
  agents,
  detach,
  dir,
  root,
  hostname,
  lb,
  supervisor: waiting,
}: ClusterOptions): Promise<DemoCluster> {
  const found = await inspectDirectory(dir);
  if (found.kind === 'up') {
    throw new MesosupError(`a demo is already running (in ${dir}). Stop it with: mesosup demo down`);
  }
  if (found.kind === 'remains') await cleanUp(dir, found.state);
  // The clean-up has ended every process of the demo.
  const supervisor = found.kind === 'remains' ? spawnSupervisor(root, dir) : waiting;
  await claimDirectory(dir);
  const target = path.join(root, 'executors/docker');
  const { link, reason } = await makeLink(target);
  const plan = planDemo({
    lib: path.join(root, 'lib'),
    dir,
    agents,
    hostname,
    executor: reason ? target : EXECUTOR_PATH,
    usedPorts: await portsInUse(),
    user: userInfo().username,
    lb,
    compileCache: process.env.NODE_COMPILE_CACHE || undefined,
  });
  const state: DemoState = {
    supervisor: identifySelf(),
    cluster: plan.cluster,
    masterUrl: plan.masterUrl,
    schedulerUrl: plan.schedulerUrl,
    since: Date.now(),
    processes: {},
    ...(link && { link }),
  };
  await writeState(dir, state);
  await writeFile(plan.schedulersFile, JSON.stringify({ schedulers: [plan.schedulerUrl] }));
  const order: SupervisorOrder = { plan, state, detach };
  const ended = once(supervisor, 'exit').then(() => undefined);
  supervisor.stdin?.write(`${JSON.stringify(order)}\n`);
  return {
    plan,
    linkReason: reason,
    ended,
    release() {
      supervisor.stdin?.end();
      supervisor.unref();
    },
    async stop() {
      supervisor.kill('SIGTERM');
      await ended;
      await cleanUp(dir, state);
    },
  };
}

/**
 * Ends the demo in `dir`, if there is one.
 *
 * @returns `up` for a running demo, `remains` for a killed one, or `none`
 */
export async function stopCluster(dir: string): Promise<'up' | 'remains' | 'none'> {
  const found = await inspectDirectory(dir);
  if (found.kind !== 'none') await cleanUp(dir, found.state);
  return found.kind;
}
