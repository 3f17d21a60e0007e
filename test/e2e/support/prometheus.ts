/** Debian's Prometheus, for tests. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts } from '../../support/free-ports.ts';

export interface Prometheus {
  /** The labels of the targets that it has discovered. */
  discovered(): Promise<readonly Readonly<Record<string, string>>[]>;
  /** The samples of an expression; empty while it does not answer. @throws Error for a wrong expression */
  query(expression: string): Promise<readonly PrometheusSample[]>;
  /** Names of the alerts that fire. */
  firing(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Discovers the tasks of a scheduler like those of a Marathon. */
export function startPrometheus(scheduler: string, directory: string): Promise<Prometheus> {
  const sd = { servers: [scheduler], refresh_interval: '1s' };
  return runPrometheus(directory, { scrape_configs: [{ job_name: 'tasks', marathon_sd_configs: [sd] }] });
}

/** @param config its `prometheus.yml`; the files that it names are in the directory */
export async function runPrometheus(directory: string, config: object): Promise<Prometheus> {
  const [port = 0] = await freePorts(1);
  const file = path.join(directory, 'prometheus.yml');
  await mkdir(directory, { recursive: true });
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const child = spawn(
    '/usr/bin/prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path.join(directory, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  failed.catch(() => {});
  const ask = async <T>(route: string): Promise<T | undefined> => {
    const answered = fetch(`http://127.0.0.1:${port}/api/v1/${route}`).catch(() => undefined);
    const answer = await Promise.race([answered, failed]);
    if (answer?.status === 400) throw new Error(await answer.text());
    return answer?.ok ? ((await answer.json()) as { data: T }).data : undefined;
  };
  return {
    discovered: async () => {
      const data = await ask<{ activeTargets: { discoveredLabels: Record<string, string> }[] }>('targets');
      return (data?.activeTargets ?? []).map(({ discoveredLabels }) => discoveredLabels);
    },
    query: async (expression) => {
      const data = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `query?query=${encodeURIComponent(expression)}`,
      );
      return (data?.result ?? []).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    firing: async () => {
      const data = await ask<{ alerts: { labels: { alertname: string }; state: string }[] }>('alerts');
      return (data?.alerts ?? [])
        .filter(({ state }) => state === 'firing')
        .map(({ labels }) => labels.alertname);
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
