import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
  /** Stay up when this process ends. */
  detach: boolean;
  /** Where the demo keeps its state. */
  dir: string;
  /** The built product, with `lib` and `executors` below it. */
  root: string;
  /** Host name of the agents, reachable from containers too. */
  hostname: string;
}

/** A demo cluster that has been started; its programs may still be coming up. */
export interface DemoCluster {
  plan: DemoPlan;
  /** Why the executor's path is not the page's, where it is not. */
  linkReason: string | undefined;
  /** Resolves when the supervisor ends, whoever ended it. */
  ended: Promise<void>;
  /** Lets this process end while the demo goes on. */
  release(): void;
  /** Ends the demo and resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/**
 * Starts the demo's programs under a supervisor of their own. Remains of a demo that was killed are cleared first.
 *
 * @throws MesosupError when a demo is up already
 */
export async function startCluster({
  agents,
  detach,
  dir,
  root,
  hostname,
}: ClusterOptions): Promise<DemoCluster> {
  const found = await inspectDirectory(dir);
  if (found.kind === 'up') {
    throw new MesosupError(`a demo is up already (its directory is ${dir}). Stop it with: mesosup demo down`);
  }
  if (found.kind === 'remains') await cleanUp(dir, found.state);
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
  const order: SupervisorOrder = { plan, state, detach };
  // In a session of its own, so that Ctrl-C at the terminal reaches this process alone.
  const supervisor = spawn(process.execPath, [path.join(root, 'lib/demo-supervisor.js')], {
    cwd: '/',
    detached: true,
    env: { ...process.env, [MARK]: dir },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(supervisor, 'exit').then(() => undefined);
  supervisor.stdin.on('error', () => undefined);
  supervisor.stdin.write(`${JSON.stringify(order)}\n`);
  return {
    plan,
    linkReason: reason,
    ended,
    release() {
      supervisor.stdin.end();
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
 * @returns what was found: a demo that was up, remains of one, or nothing
 */
export async function stopCluster(dir: string): Promise<'up' | 'remains' | 'none'> {
  const found = await inspectDirectory(dir);
  if (found.kind !== 'none') await cleanUp(dir, found.state);
  return found.kind;
}
