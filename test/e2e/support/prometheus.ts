/** Debian's Prometheus, which discovers the tasks of a scheduler like those of a Marathon. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts } from '../../support/free-ports.ts';

export interface Prometheus {
  /** The labels of the targets that it has discovered. */
  discovered(): Promise<readonly Readonly<Record<string, string>>[]>;
  stop(): Promise<void>;
}

export async function startPrometheus(scheduler: string, directory: string): Promise<Prometheus> {
  const [port = 0] = await freePorts(1);
  const file = path.join(directory, 'prometheus.yml');
  const sd = { servers: [scheduler], refresh_interval: '1s' };
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({ scrape_configs: [{ job_name: 'tasks', marathon_sd_configs: [sd] }] }),
  );
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
  return {
    discovered: async () => {
      const answered = fetch(`http://127.0.0.1:${port}/api/v1/targets`).catch(() => undefined);
      const answer = await Promise.race([answered, failed]);
      if (!answer?.ok) return [];
      const { data } = (await answer.json()) as {
        data: { activeTargets: { discoveredLabels: Record<string, string> }[] };
      };
      return data.activeTargets.map(({ discoveredLabels }) => discoveredLabels);
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
