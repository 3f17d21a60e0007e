/**
 * Two schedulers, two embedded masters and an agent that take only TLS and demand certificates of each other, with a
 * real ZooKeeper. Then each refusal, with the text that the scheduler's log shows.
 */

import { mkdtempSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TlsFiles } from '../../src/tls/settings.ts';
import { freePorts } from '../support/free-ports.ts';
import { createTestCa, type Issuing, type TestCa } from '../support/test-ca.ts';
import { askByTls, mesosTls } from './support/ask-tls.ts';
import {
  describeEmbedded,
  type Embedded,
  restartEmbedded,
  startEmbedded,
  stopEmbedded,
} from './support/embedded.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 50 };
const ONLY_TLS = /^This port accepts only TLS\. Use https:/;

const directory = mkdtempSync(join(tmpdir(), 'tls-contract-'));
let ca: TestCa;
let foreign: TestCa;
let own: Required<TlsFiles>;
let zookeeper: Ensemble;
const masters: Embedded[] = [];
let schedulers: SchedulerProcess[] = [];
let ports: number[];

function issue(name: string, issuing: Issuing = {}, by = ca): Required<TlsFiles> {
  return { ca: ca.file, ...by.issue(name, issuing) };
}

function flagsOf({ ca: file, cert, key }: TlsFiles): string[] {
  return [
    ...(file === undefined ? [] : ['--ssl_ca_file', file]),
    ...(cert === undefined || key === undefined ? [] : ['--ssl_cert_file', cert, '--ssl_key_file', key]),
  ];
}

beforeAll(async () => {
  ca = createTestCa(directory);
  foreign = createTestCa(directory, 'foreign-ca');
  own = issue('scheduler');
  zookeeper = await startZooKeeper(1);
  const mesos = `zk://${zookeeper.hosts}/mesos`;
  for (const name of ['a', 'b']) masters.push(await describeEmbedded(join(directory, name)));
  for (const [i, master] of masters.entries()) {
    master.masterFlags = [`--zk=${mesos}`, '--quorum=1'];
    master.environment = mesosTls(issue(`master-${i}`));
    await startEmbedded(master, 'master');
  }
  const [first] = masters;
  if (!first) throw new Error('no master');
  const agent = mesosTls(issue('agent'));
  const executor = JSON.stringify(mesosTls(issue('executor')));
  const agentFlags = [`--executor_environment_variables=${executor}`];
  await startEmbedded({ ...first, master: mesos, environment: agent, agentFlags }, 'agent');
  ports = await freePorts(2);
  schedulers = ports.map((port) =>
    startScheduler(
      ...['--master', mesos, '--zk', `zk://${zookeeper.hosts}/schedulers`],
      ...['--mesos_ssl', 'required', '--disable_http', '--https_port', `${port}`, ...flagsOf(own)],
      ...['--ssl_require_service_cert', '--mesos_user', userInfo().username],
      ...['--reconciliation_initial_delay', '100'],
    ),
  );
  await Promise.all(schedulers.map((scheduler) => scheduler.url()));
});

afterAll(async () => {
  await Promise.all(schedulers.map((scheduler) => scheduler.kill()));
  for (const master of masters) await stopEmbedded(master);
  await zookeeper?.stop();
  await rm(directory, { recursive: true, force: true });
});

const people = () => ({ ca: ca.file });

/** Asks a scheduler like people do, without a certificate. */
async function ask(scheduler: SchedulerProcess, path: string, body?: unknown) {
  return askByTls(`${await scheduler.url()}${path}`, people(), { ...(body !== undefined && { body }) });
}

const isUp = ({ child }: SchedulerProcess) => child.exitCode === null && child.signalCode === null;

/** @returns the leading scheduler first */
async function inOrder(): Promise<SchedulerProcess[]> {
  const up = schedulers.filter(isUp);
  return vi.waitFor(async () => {
    const answers = await Promise.all(up.map((one) => ask(one, '/v2/leader')));
    const [first] = answers;
    expect(answers.every(({ status, text }) => status === 200 && text === first?.text)).toBe(true);
    const { leader } = JSON.parse(first?.text ?? '{}') as { leader: string };
    const urls = await Promise.all(up.map((one) => one.url()));
    const at = urls.indexOf(`https://${leader}`);
    expect(at).not.toBe(-1);
    return [...up.slice(at), ...up.slice(0, at)];
  }, WITHIN);
}

/** Waits for one running task. @returns its id */
async function running(scheduler: SchedulerProcess): Promise<string> {
  return vi.waitFor(async () => {
    const { gauges } = JSON.parse((await ask(scheduler, '/metrics')).text);
    expect(gauges).toMatchObject({
      'mesosup.connected': { value: 1 },
      'mesosup.tasks.unanswered': { value: 0 },
    });
    const { tasks } = JSON.parse((await ask(scheduler, '/v2/apps/x/tasks')).text);
    expect(tasks).toMatchObject([{ state: 'TASK_RUNNING' }]);
    return tasks[0].id as string;
  }, WITHIN);
}

it('runs an app that a follower was asked for, and reads its output', async () => {
  const [, follower] = await inOrder();
  if (!follower) throw new Error('no follower');
  const app = { id: '/x', cmd: 'echo hello; exec sleep 600', instances: 1, cpus: 0.1, mem: 32 };
  expect((await ask(follower, '/v2/apps', app)).status).toBe(201);
  const task = await running(follower);
  await vi.waitFor(
    async () => expect((await ask(follower, `/v2/tasks/${task}/log`)).text).toContain('hello'),
    WITHIN,
  );
});

it('refuses plain text on every port', async () => {
  const [first] = masters;
  const addresses = [
    ...masters.map(({ master }) => master),
    first?.agent,
    ...ports.map((port) => `127.0.0.1:${port}`),
  ];
  for (const address of addresses) {
    const answer = await fetch(`http://${address}/`);
    expect([address, answer.status, await answer.text()]).toEqual([
      address,
      400,
      expect.stringMatching(ONLY_TLS),
    ]);
  }
});

it('refuses services without a certificate of the cluster: Mesos everyone, schedulers those that forward', async () => {
  const stranger = { ...issue('stranger', {}, foreign) };
  const [first] = masters;
  for (const address of [first?.master, first?.agent]) {
    const state = (files: TlsFiles) => askByTls(`https://${address}/state`, files);
    expect((await state(own)).status).toBe(200);
    expect(await state(people())).toMatchObject({
      status: 403,
      text: expect.stringMatching(/the client sent none/),
    });
    expect(await state(stranger)).toMatchObject({
      status: 403,
      text: expect.stringMatching(/CN=stranger, issued by CN=foreign-ca\) is not signed by a CA/),
    });
  }
  const [leader] = await inOrder();
  const info = `${await leader?.url()}/v2/info`;
  const headers = { 'X-Marathon-Via': 'other:1', 'X-Forwarded-For': '10.0.0.1' };
  expect((await askByTls(info, people())).status).toBe(200);
  expect((await askByTls(info, own, { headers })).status).toBe(200);
  for (const files of [people(), stranger])
    expect(await askByTls(info, files, { headers })).toMatchObject({
      status: 400,
      text: expect.stringMatching(/refuses this service: /),
    });
});

it('keeps the task when masters and schedulers change their leader', async () => {
  const [leader, follower] = await inOrder();
  if (!leader || !follower) throw new Error('no schedulers');
  const task = await running(leader);
  for (const master of masters) {
    await restartEmbedded(master, 'master');
    expect(await running(leader)).toBe(task);
  }
  await leader.kill();
  expect((await inOrder())[0]).toBe(follower);
  expect(await running(follower)).toBe(task);
});

it('shows and uses a renewed certificate without a restart', async () => {
  const [scheduler] = await inOrder();
  if (!scheduler) throw new Error('no scheduler');
  const renewed = issue('renewed');
  renameSync(renewed.key, own.key);
  renameSync(renewed.cert, own.cert);
  const task = await running(scheduler);
  for (const master of masters) await restartEmbedded(master, 'master');
  expect((await ask(scheduler, '/ping')).subject).toBe('CN=renewed');
  expect(await running(scheduler)).toBe(task);
  expect(scheduler.said.join('\n')).not.toMatch(/stays in use/);
});

/** Starts a scheduler on a master, and waits until its log says so. */
async function logOf(server: TlsFiles, flags: string[], text: RegExp): Promise<void> {
  const mesos = await describeEmbedded(join(directory, 'refusing'));
  mesos.environment = mesosTls({ ...server } as Required<TlsFiles>);
  await startEmbedded(mesos, 'master');
  const data = ['--data_dir', join(mesos.directory, 'scheduler')];
  const scheduler = startScheduler('--master', mesos.master, ...data, ...flags);
  try {
    await vi.waitFor(() => expect(scheduler.said.join('\n')).toMatch(text), WITHIN);
    expect(scheduler.said.join('\n')).toContain(mesos.master);
  } finally {
    await scheduler.kill();
    await stopEmbedded(mesos);
  }
}

it.each<[string, Issuing, RegExp]>([
  [
    'has expired',
    { fromDays: -9, untilDays: -2 },
    /CN=bad, issued by CN=test-ca\) expired on 20\d\d-.*certs renew/,
  ],
  ['is not valid yet', { fromDays: 2, untilDays: 9 }, /CN=bad.*is not valid yet until 20\d\d-.*timedatectl/],
  ['is for another host', { names: ['DNS:h9'] }, /CN=bad.*is for h9, not for 127\.0\.0\.1.*certs renew/],
])('names a master whose certificate %s, and what to do', async (_what, issuing, text) => {
  await logOf(issue('bad', issuing), ['--mesos_ssl', 'required', ...flagsOf(own)], text);
});

it('names a master with a certificate of a foreign CA', async () => {
  const text = /CN=bad, issued by CN=foreign-ca\) is not signed by a CA in .*ca\.pem.*certs trust/;
  await logOf(issue('bad', {}, foreign), ['--mesos_ssl', 'required', ...flagsOf(own)], text);
});

it.each<[string, () => TlsFiles, RegExp]>([
  [
    'none',
    () => ({ ca: ca.file }),
    /a client certificate of the cluster's CA is required, and the client sent none/,
  ],
  [
    'one of a foreign CA',
    () => issue('mine', {}, foreign),
    /CN=mine, issued by CN=foreign-ca\) is not signed by a CA/,
  ],
  [
    'an old one',
    () => issue('mine', { fromDays: -9, untilDays: -2 }),
    /CN=mine.*expired on 20\d\d-.*certs renew/,
  ],
  [
    'an early one',
    () => issue('mine', { fromDays: 2, untilDays: 9 }),
    /CN=mine.*valid only from 20\d\d-.*timedatectl/,
  ],
])('says what a master refuses if its own certificate is %s', async (_what, files, text) => {
  await logOf(issue('good'), ['--mesos_ssl', 'required', ...flagsOf(files())], text);
});

it('says that a master accepts only TLS, or has none', async () => {
  await logOf(issue('good'), [], /answered 400: This port accepts only TLS/);
  const mesos = await describeEmbedded(join(directory, 'plain'));
  await startEmbedded(mesos, 'master');
  const data = ['--data_dir', join(mesos.directory, 'scheduler')];
  const scheduler = startScheduler(
    '--master',
    mesos.master,
    ...data,
    '--mesos_ssl',
    'required',
    ...flagsOf(own),
  );
  const text = /does not answer with TLS: it takes plain text only.*certs enable/;
  await vi.waitFor(() => expect(scheduler.said.join('\n')).toMatch(text), WITHIN);
  await scheduler.kill();
  await stopEmbedded(mesos);
});
