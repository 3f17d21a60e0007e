/** Exec through a scheduler that does not lead: for the client and for the executor, without TLS and with TLS only. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as requestPlainly } from 'node:http';
import { request as requestByTls } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeEmbedded,
  type Embedded,
  startEmbedded,
  stopEmbedded,
} from '../contract/support/embedded.ts';
import { type Ensemble, startZooKeeper } from '../contract/support/zookeeper.ts';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { ExecClient } from './support/exec-client.ts';

const root = path.resolve(import.meta.dirname, '../..');
const AUTHORIZATION = { authorization: `Basic ${Buffer.from('me:pw').toString('base64')}` };

let directory: string;
let zookeeper: Ensemble;
let ca: string;

beforeAll(async () => {
  await makeTestImages();
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-follower-'));
  zookeeper = await startZooKeeper(1);
  const what = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=mesosup';
  const files = ['-keyout', path.join(directory, 'key.pem'), '-out', path.join(directory, 'cert.pem')];
  await execa('openssl', ['req', ...what.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', ...files]);
  ca = await readFile(path.join(directory, 'cert.pem'), 'utf8');
  await writeFile(path.join(directory, 'http'), 'me:pw', { mode: 0o600 });
});
afterAll(async () => {
  await zookeeper?.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

async function ask(url: string, method = 'GET', body?: unknown): Promise<Answer> {
  const request = url.startsWith('https') ? requestByTls : requestPlainly;
  const outgoing = request(url, { method, headers: AUTHORIZATION, ca });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(outgoing, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

describe.each(['http', 'https'])('over %s', (scheme) => {
  let mesos: Embedded;
  let leader: string;
  let follower: string;
  let task = '';
  const schedulers: ChildProcess[] = [];

  beforeAll(async () => {
    mesos = await describeEmbedded(path.join(directory, `${scheme}-mesos`));
    const schedulersFile = path.join(directory, `${scheme}.json`);
    // With https, schedulers and executors show each other certificates; Mesos has no TLS.
    const tlsFile = path.join(directory, `${scheme}-tls.json`);
    const [cert, key] = ['cert', 'key'].map((name) => path.join(directory, `${name}.pem`));
    await writeFile(tlsFile, JSON.stringify({ mode: 'off', ...(scheme === 'https' && { cert, key }) }));
    const environment = { MESOSUP_SCHEDULERS_FILE: schedulersFile, MESOSUP_EXECUTOR_TLS_FILE: tlsFile };
    mesos.agentFlags = [`--executor_environment_variables=${JSON.stringify(environment)}`];
    await startEmbedded(mesos, 'master');
    await startEmbedded(mesos, 'agent');
    const urls = [await start(), await start()];
    await until('a scheduler leads', async () => {
      const answers = await Promise.all(urls.map((url) => ask(`${url}/v2/leader`).catch(() => undefined)));
      const [first, second] = answers.map((answer) =>
        answer?.status === 200 ? JSON.parse(answer.body).leader : '',
      );
      leader = urls.find((url) => url === `${scheme}://${first}`) ?? '';
      follower = urls.find((url) => url !== leader) ?? '';
      return first !== '' && first === second && leader !== '';
    });
    await writeFile(
      schedulersFile,
      JSON.stringify({ schedulers: [follower], ca: path.join(directory, 'cert.pem') }),
    );
    const app = {
      id: '/box',
      cmd: 'sleep 1000',
      cpus: 0.1,
      mem: 32,
      container: { docker: { image: BUSYBOX } },
    };
    expect((await ask(`${follower}/v2/apps`, 'POST', app)).status).toBe(201);
    await until('its task runs', async () => {
      const { tasks } = JSON.parse((await ask(`${follower}/v2/apps/box/tasks`)).body);
      task = tasks[0]?.id ?? '';
      return tasks[0]?.state === 'TASK_RUNNING';
    });
  });

  afterAll(async () => {
    if (leader) await ask(`${leader}/v2/groups?force=true`, 'DELETE');
    if (leader)
      await until(
        'the tasks have ended',
        async () => JSON.parse((await ask(`${leader}/v2/deployments`)).body).length === 0,
      );
    for (const one of schedulers) {
      one.kill('SIGTERM');
      if (one.exitCode === null && one.signalCode === null) await once(one, 'exit');
    }
    if (mesos) await stopEmbedded(mesos);
  });

  async function start(): Promise<string> {
    const said: string[] = [];
    const tls = [
      ...['--disable_http', '--https_port', '0', '--ssl_ca_file', path.join(directory, 'cert.pem')],
      '--ssl_require_service_cert',
    ];
    const files = ['cert', 'key'].flatMap((name) => [
      `--ssl_${name}_file`,
      path.join(directory, `${name}.pem`),
    ]);
    const scheduler = spawn(
      process.execPath,
      [
        path.join(root, 'src/scheduler/main.ts'),
        ...['--master', mesos.master, '--hostname', '127.0.0.1', '--failover_timeout', '1'],
        ...['--zk', `zk://me:pw@${zookeeper.hosts}/${scheme}`],
        ...['--http_credentials_file', path.join(directory, 'http')],
        ...['--docker_executor', path.join(root, 'dist/executors/docker')],
        ...(scheme === 'https' ? [...tls, ...files] : ['--http_port', '0']),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    schedulers.push(scheduler);
    return new Promise((resolve, reject) => {
      scheduler.once('exit', (code) =>
        reject(new Error(`the scheduler has ended with ${code}: ${said.join('')}`)),
      );
      createInterface({ input: scheduler.stderr }).on('line', (line) => {
        said.push(line);
        const url = /listening on (https?:[^"\s]+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
  }

  async function exec(argv: string[], more: object = {}): Promise<ExecClient> {
    const answer = await ask(`${follower}/v2/tasks/${task}/exec`, 'POST', { argv, ...more });
    expect([answer.status, answer.headers['x-marathon-via']]).toEqual([201, expect.any(String)]);
    return ExecClient.join(follower, JSON.parse(answer.body).url, { headers: AUTHORIZATION, ca });
  }

  it('passes bytes, a terminal and the exit code through a follower', async () => {
    const pipe = await exec(['cat']);
    const sent = Buffer.alloc(3 * 2 ** 20 + 1, 'mesosup');
    const half = 2 ** 19;
    for (let at = 0; at < sent.length; at += half) await pipe.input(sent.subarray(at, at + half));
    await pipe.end();
    expect(await pipe.outcome()).toEqual({ type: 'exit', code: 0 });
    expect(pipe.bytes().equals(sent)).toBe(true);
    // Docker before 23 sets the size after the command has started.
    const script = 'until busybox stty size | busybox grep 31; do busybox sleep 0.1; done; exit 3';
    const terminal = await exec(['/bin/sh', '-c', script], {
      tty: true,
      columns: 91,
      rows: 31,
    });
    expect(await terminal.outcome()).toEqual({ type: 'exit', code: 3 });
    expect(terminal.stdout()).toContain('31 91');
  });

  it('refuses requests without credentials and from other sites through a follower', async () => {
    const answer = await ask(`${follower}/v2/tasks/${task}/exec`, 'POST', { argv: ['true'] });
    const { url } = JSON.parse(answer.body);
    await expect(ExecClient.join(follower, url, { ca })).rejects.toThrow('401');
    const headers = { ...AUTHORIZATION, origin: 'https://evil.example' };
    await expect(ExecClient.join(follower, url, { ca, headers })).rejects.toThrow('403');
    const client = await ExecClient.join(follower, url, {
      ca,
      headers: { ...AUTHORIZATION, origin: follower },
    });
    expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
    await expect(ExecClient.join(follower, url, { ca, headers: AUTHORIZATION })).rejects.toThrow('404');
  });
});
