/** A scheduler process on an embedded Mesos with one agent, for tests with third-party clients. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  describeEmbedded,
  type Embedded,
  startEmbedded,
  stopEmbedded,
} from '../../contract/support/embedded.ts';
import { until } from '../demo-cluster.ts';

const root = path.resolve(import.meta.dirname, '../../..');

export interface SchedulerCluster {
  /** The URL of the scheduler's API. */
  readonly url: string;
  /** A directory for the test's files. `executor.json` in it is the agent's policy. */
  readonly directory: string;
  /** The scheduler's log so far. */
  readonly log: readonly string[];
  /** The master and the agent. */
  readonly mesos: Embedded;
  /** The scheduler's process. */
  readonly pid: number;
  /** Kills the scheduler, and starts it again with the same flags. `url` and `pid` change. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export interface SchedulerProgram {
  /** The built one has the web page. */
  readonly program?: string;
  /** With which the tasks are ended. */
  readonly authorization?: string;
}

/**
 * @param flags additional flags of the scheduler
 * @param environment additional variables of executors
 */
export async function startSchedulerCluster(
  flags: Record<string, string> = {},
  environment: Record<string, string> = {},
  { program = 'src/scheduler/main.ts', authorization }: SchedulerProgram = {},
): Promise<SchedulerCluster> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-clients-'));
  const mesos = await describeEmbedded(path.join(directory, 'mesos'));
  const schedulers = path.join(directory, 'schedulers.json');
  mesos.agentFlags = [
    `--executor_environment_variables=${JSON.stringify({
      MESOSUP_EXECUTOR_CONFIG: path.join(directory, 'executor.json'),
      ...environment,
      MESOSUP_SCHEDULERS_FILE: schedulers,
    })}`,
  ];
  await startEmbedded(mesos, 'master');
  await startEmbedded(mesos, 'agent');
  const all = {
    master: mesos.master,
    http_address: '127.0.0.1',
    hostname: '127.0.0.1',
    http_port: '0',
    data_dir: path.join(directory, 'scheduler'),
    docker_executor: path.join(root, 'dist/executors/docker'),
    // Executors that are still running end with their framework.
    failover_timeout: '1',
    ...flags,
  };
  const log: string[] = [];
  const run = () =>
    spawn(
      process.execPath,
      [path.join(root, program), ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
  let scheduler = run();
  const stop = async (url?: string): Promise<void> => {
    // Containers outlive their agent until its next start, but this agent does not start again.
    if (url) await endTasks(url, authorization).catch((error: unknown) => console.warn(error));
    scheduler.kill('SIGTERM');
    if (scheduler.exitCode === null && scheduler.signalCode === null) await once(scheduler, 'exit');
    await stopEmbedded(mesos);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    let url = '';
    const listen = async () => {
      url = await listening(scheduler, log);
      await writeFile(schedulers, JSON.stringify({ schedulers: [url] }));
    };
    await listen();
    return {
      get url() {
        return url;
      },
      get pid() {
        return scheduler.pid ?? 0;
      },
      directory,
      log,
      mesos,
      failOver: async () => {
        scheduler.kill('SIGKILL');
        await once(scheduler, 'exit');
        scheduler = run();
        await listen();
      },
      stop: () => stop(url),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function endTasks(url: string, authorization?: string): Promise<void> {
  const headers = { ...(authorization !== undefined && { authorization }) };
  await fetch(`${url}/v2/groups?force=true`, { method: 'DELETE', headers });
  // Tasks of a deleted app are no longer listed, but the deployment continues until they have ended.
  await settled(url, undefined, headers);
}

/** Waits until no deployment is running. */
export function settled(url: string, ms?: number, headers: Record<string, string> = {}): Promise<boolean> {
  return until(
    'no deployment is under way',
    async () =>
      ((await (await fetch(`${url}/v2/deployments`, { headers })).json()) as unknown[]).length === 0,
    ms,
  );
}

async function listening(scheduler: ChildProcess, log: string[]): Promise<string> {
  if (!scheduler.stderr) throw new Error('the scheduler has no stderr');
  const lines = createInterface({ input: scheduler.stderr });
  return new Promise((resolve, reject) => {
    scheduler.once('exit', (code) =>
      reject(new Error(`the scheduler exited with ${code}:\n${log.join('\n')}`)),
    );
    lines.on('line', (line) => {
      log.push(line);
      const url = /listening on (https?:[^"\s]+)/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}
