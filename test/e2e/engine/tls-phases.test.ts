/**
 * The move of a cluster to TLS, and a change of its CA, with a master, an agent, a scheduler and a container: each program
 * gets the settings of the phase, and restarts if it can't read them again. The executor starts before there is TLS.
 */

import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TlsFiles, TlsMode } from '../../../src/tls/settings.ts';
import { askByTls, mesosTls } from '../../contract/support/ask-tls.ts';
import {
  describeEmbedded,
  type Embedded,
  restartEmbedded,
  startEmbedded,
  stopEmbedded,
} from '../../contract/support/embedded.ts';
import { type SchedulerProcess, startScheduler } from '../../contract/support/zookeeper-schedulers.ts';
import { freePorts } from '../../support/free-ports.ts';
import { createTestCa, type TestCa } from '../../support/test-ca.ts';
import { until } from '../demo-cluster.ts';
import { ExecClient } from '../support/exec-client.ts';
import { makeExecutorDist } from '../support/executor-process.ts';
import { makeTaskImages, taskImage } from '../support/task-images.ts';

/** Other tests may use the same engine. */
const APP = `moved-${randomBytes(4).toString('hex')}`;
const SERVICES = ['master', 'agent', 'executor', 'scheduler'] as const;

let directory: string;
let dist: string;
let mesos: Embedded;
let scheduler: SchedulerProcess;
let port: number;
/** How the test asks: with the certificate of the scheduler, since Mesos asks everyone for one. */
let url: string;
let ca: TestCa;

const at = (name: string) => path.join(directory, name);
const filesOf = (service: string): Required<TlsFiles> => ({
  ca: at('ca.pem'),
  cert: at(`${service}.pem`),
  key: at(`${service}-key.pem`),
});

/** Replaces a file at once, like the installer. */
function replace(name: string, content: string | Buffer): void {
  writeFileSync(at(`${name}.new`), content, { mode: 0o600 });
  renameSync(at(`${name}.new`), at(name));
}

function issueAll(by: TestCa): void {
  for (const service of SERVICES) {
    const { cert, key } = by.issue(`issued-${service}`);
    replace(`${service}-key.pem`, readFileSync(key));
    replace(`${service}.pem`, readFileSync(cert));
  }
}

function setExecutors(mode: TlsMode): void {
  replace('executor-tls.json', JSON.stringify({ mode, ...filesOf('executor') }));
}

/** Restarts one of Mesos' programs with the settings of a phase. */
async function restart(role: 'master' | 'agent', mode: TlsMode): Promise<void> {
  const offer = { LIBPROCESS_SSL_SUPPORT_DOWNGRADE: 'true', LIBPROCESS_SSL_REQUIRE_CLIENT_CERT: 'false' };
  mesos.environment = mode === 'off' ? {} : mesosTls(filesOf(role), mode === 'preferred' ? offer : {});
  await restartEmbedded(mesos, role);
}

async function beginScheduler(mode: TlsMode): Promise<void> {
  const { ca: caFile, cert, key } = filesOf('scheduler');
  const tls = ['--mesos_ssl', mode, '--https_port', `${port}`, '--ssl_ca_file', caFile];
  const files = ['--ssl_cert_file', cert, '--ssl_key_file', key];
  const strict = ['--disable_http', '--ssl_require_service_cert'];
  scheduler = startScheduler(
    ...['--master', mesos.master, '--http_address', '127.0.0.1', '--data_dir', at('scheduler')],
    ...['--http_port', `${port}`, '--docker_executor', path.join(dist, 'executors/docker')],
    ...(mode === 'off' ? [] : [...tls, ...files]),
    ...(mode === 'required' ? strict : []),
  );
  url = await scheduler.url();
}

async function restartScheduler(mode: TlsMode): Promise<void> {
  await scheduler.kill();
  await beginScheduler(mode);
}

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'tls-phases-'));
  await makeTaskImages('web');
  dist = await makeExecutorDist();
  [port = 0] = await freePorts(1);
  ca = createTestCa(directory, 'first-ca');
  copyFileSync(ca.file, at('ca.pem'));
  writeFileSync(at('schedulers.json'), JSON.stringify({ schedulers: [`http://127.0.0.1:${port}`] }));
  mesos = await describeEmbedded(at('mesos'));
  const environment = {
    MESOSUP_EXECUTOR_TLS_FILE: at('executor-tls.json'),
    MESOSUP_SCHEDULERS_FILE: at('schedulers.json'),
  };
  mesos.agentFlags = [
    '--executor_reregistration_timeout=10secs',
    `--executor_environment_variables=${JSON.stringify(environment)}`,
  ];
  await startEmbedded(mesos, 'master');
  await startEmbedded(mesos, 'agent');
  await beginScheduler('off');
});
afterAll(async () => {
  await execDelete().catch(() => undefined);
  await scheduler?.kill();
  if (mesos) await stopEmbedded(mesos);
  await rm(dist, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

async function execDelete(): Promise<void> {
  await execa('curl', ['-s', '--cacert', at('ca.pem'), '-X', 'DELETE', `${url}/v2/apps/${APP}?force=true`]);
  await until('the container ends', async () => (await containers()) === '');
}

/** Asks with TLS if the address needs it. */
async function ask(address: string, body?: unknown): Promise<{ status: number; text: string }> {
  const options = body === undefined ? {} : { body };
  if (address.startsWith('https:')) return askByTls(address, filesOf('scheduler'), options);
  const json = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const answer = await fetch(address, body === undefined ? {} : json);
  return { status: answer.status, text: await answer.text() };
}

/** The id of the container. */
async function containers(): Promise<string> {
  const format = '{{.ID}} {{.Label "mesosup.task"}}';
  const { stdout } = await execa('docker', [
    ...['ps', '--no-trunc', '--filter', 'label=mesosup.task', '--format', format],
  ]);
  return stdout
    .split('\n')
    .filter((line) => line.includes(` ${APP}.`))
    .map((line) => line.split(' ')[0])
    .join();
}

/** The agent is registered, the framework subscribed, the task runs, and a command runs in its container. */
async function works(mesosUrl: string): Promise<void> {
  await until(
    'agent and framework are connected',
    async () => {
      const { status, text } = await ask(`${mesosUrl}/metrics/snapshot`).catch(() => ({
        status: 0,
        text: '',
      }));
      const metrics = status === 200 ? (JSON.parse(text) as Record<string, number>) : {};
      return metrics['master/slaves_active'] === 1 && metrics['master/frameworks_active'] === 1;
    },
    60_000,
  );
  let task = '';
  await until(
    'the task runs',
    async () => {
      const { tasks = [] } = JSON.parse((await ask(`${url}/v2/apps/${APP}/tasks`)).text) as {
        tasks?: { id: string; state: string }[];
      };
      task = tasks[0]?.id ?? '';
      return tasks.length === 1 && tasks[0]?.state === 'TASK_RUNNING';
    },
    60_000,
  );
  // The scheduler's message to the executor goes over the executor's subscription, so that is back, too.
  await until(
    'a command runs in the container',
    async () => {
      const made = await ask(`${url}/v2/tasks/${task}/exec`, { argv: ['true'] });
      if (made.status !== 201) return false;
      const session = JSON.parse(made.text) as { url: string };
      const client = await ExecClient.join(url, session.url, { ca: readFileSync(at('ca.pem'), 'utf8') });
      const outcome = await client.outcome();
      return outcome?.type === 'exit';
    },
    60_000,
  );
}

it('keeps the container while all programs move to TLS, and to another CA', async () => {
  const app = {
    id: `/${APP}`,
    instances: 1,
    cpus: 0.1,
    mem: 32,
    container: { docker: { image: taskImage('web'), network: 'BRIDGE' } },
  };
  const made = await ask(`${url}/v2/apps`, app);
  expect(made.status, made.text).toBe(201);
  await until('a container runs', async () => (await containers()) !== '', 60_000);
  const plain = `http://${mesos.master}`;
  const secure = `https://${mesos.master}`;
  await works(plain);
  const was = await containers();
  const check = async (step: string, mesosUrl: string): Promise<void> => {
    await works(mesosUrl);
    expect([step, await containers()]).toEqual([step, was]);
  };

  issueAll(ca);
  setExecutors('preferred');
  await restart('agent', 'preferred');
  await check('an agent that offers TLS, with a master without it', plain);
  await restart('master', 'preferred');
  await check('a master that offers TLS', secure);
  await restartScheduler('preferred');
  expect(url).toBe(`http://127.0.0.1:${port}`);
  await check('a scheduler that offers TLS', secure);

  setExecutors('required');
  await restartScheduler('required');
  expect(url).toBe(`https://127.0.0.1:${port}`);
  await check('a scheduler that requires TLS', secure);
  await restart('agent', 'required');
  await check('an agent that requires TLS', secure);
  await restart('master', 'required');
  await check('a master that requires TLS', secure);
  for (const address of [mesos.master, mesos.agent, `127.0.0.1:${port}`])
    expect(await ask(`http://${address}/`)).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^This port accepts only TLS/),
    });

  const second = createTestCa(directory, 'second-ca');
  const restartMesos = async (): Promise<void> => {
    await restart('master', 'required');
    await restart('agent', 'required');
  };
  replace('ca.pem', `${readFileSync(ca.file, 'utf8')}${readFileSync(second.file, 'utf8')}`);
  await restartMesos();
  await check('both CAs are accepted', secure);
  issueAll(second);
  await restartMesos();
  await check('certificates of the second CA', secure);
  replace('ca.pem', readFileSync(second.file));
  await restartMesos();
  await check('the first CA is withdrawn', secure);
  // The scheduler has read all of it without a restart.
  const old = { ...filesOf('scheduler'), ca: ca.file };
  await expect(askByTls(`${url}/ping`, old)).rejects.toThrow(/self-signed|unable to/);
});
