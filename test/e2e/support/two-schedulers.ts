/** Two schedulers with ZooKeeper that listen only with TLS, on an embedded Mesos with one agent. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import {
  describeEmbedded,
  type Embedded,
  startEmbedded,
  stopEmbedded,
} from '../../contract/support/embedded.ts';
import { type Ensemble, startZooKeeper } from '../../contract/support/zookeeper.ts';
import { root } from '../demo-cluster.ts';

export interface TwoSchedulers {
  readonly directory: string;
  /** The CA file of the schedulers' certificate. */
  readonly caFile: string;
  readonly urls: readonly string[];
  /** The logs of both schedulers so far. */
  readonly log: readonly string[];
  /** Kills a scheduler. */
  kill(url: string): Promise<void>;
  /** Starts another one. @returns its URL */
  start(): Promise<string>;
  stop(): Promise<void>;
}

export async function startTwoSchedulers(token: string): Promise<TwoSchedulers> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-two-'));
  const file = (name: string) => path.join(directory, name);
  const certificate = [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' '),
    ...['-subj', '/CN=mesosup', '-addext', 'subjectAltName=IP:127.0.0.1'],
  ];
  await execa('openssl', [...certificate, '-keyout', file('key.pem'), '-out', file('cert.pem')]);
  await writeFile(file('tokens'), `[operator]\nci:${token}\n`, { mode: 0o600 });
  const zookeeper: Ensemble = await startZooKeeper(1);
  const mesos: Embedded = await describeEmbedded(file('mesos'));
  const environment = { MESOSUP_SCHEDULERS_FILE: file('schedulers.json') };
  mesos.agentFlags = [`--executor_environment_variables=${JSON.stringify(environment)}`];
  await startEmbedded(mesos, 'master');
  await startEmbedded(mesos, 'agent');
  const schedulers = new Map<string, ChildProcess>();
  const log: string[] = [];

  async function start(): Promise<string> {
    const scheduler = spawn(
      process.execPath,
      [
        path.join(root, 'src/scheduler/main.ts'),
        ...['--master', mesos.master, '--hostname', '127.0.0.1', '--failover_timeout', '60'],
        ...['--zk', `zk://me:pw@${zookeeper.hosts}/mesosup`, '--http_tokens_file', file('tokens')],
        ...['--docker_executor', path.join(root, 'dist/executors/docker')],
        ...['--disable_http', '--https_port', '0', '--ssl_ca_file', file('cert.pem')],
        ...['--ssl_cert_file', file('cert.pem'), '--ssl_key_file', file('key.pem')],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const url = await new Promise<string>((resolve, reject) => {
      scheduler.once('exit', (code) => reject(new Error(`exit ${code}:\n${log.join('\n')}`)));
      createInterface({ input: scheduler.stderr }).on('line', (line) => {
        log.push(line);
        const found = /listening on (https:[^"\s]+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    schedulers.set(url, scheduler);
    await writeFile(
      file('schedulers.json'),
      JSON.stringify({ schedulers: [...schedulers.keys()], ca: file('cert.pem') }),
    );
    return url;
  }

  async function end(url: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const scheduler = schedulers.get(url);
    schedulers.delete(url);
    if (!scheduler || scheduler.exitCode !== null || scheduler.signalCode !== null) return;
    scheduler.kill(signal);
    await once(scheduler, 'exit');
  }

  const urls = [await start(), await start()];
  return {
    directory,
    caFile: file('cert.pem'),
    urls,
    log,
    start,
    kill: (url) => end(url, 'SIGKILL'),
    stop: async () => {
      for (const url of [...schedulers.keys()]) await end(url, 'SIGTERM');
      await stopEmbedded(mesos);
      await zookeeper.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
