/** The web page while the leader of three schedulers is killed: at a follower, and at the leader's own address. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  describeEmbedded,
  type Embedded,
  startEmbedded,
  stopEmbedded,
} from '../contract/support/embedded.ts';
import { type Ensemble, startZooKeeper } from '../contract/support/zookeeper.ts';
import { type SchedulerProcess, startSchedulerOf } from '../contract/support/zookeeper-schedulers.ts';
import { freePorts } from '../support/free-ports.ts';
import { root, until } from './demo-cluster.ts';
import { picture, signIn, TestBrowser } from './support/page.ts';

const AUTHORIZATION = `Basic ${btoa('olga:olga-password')}`;
const TIMEOUT_MS = 60_000;

let directory: string;
let zookeeper: Ensemble;
let mesos: Embedded;
let browser: TestBrowser;
const schedulers = new Map<string, SchedulerProcess>();

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-ui-leader-'));
  await writeFile(path.join(directory, 'users'), '[operator]\nolga:olga-password\n', { mode: 0o600 });
  [zookeeper, mesos] = await Promise.all([
    startZooKeeper(1),
    describeEmbedded(path.join(directory, 'mesos')),
  ]);
  await writeFile(path.join(directory, 'zk'), `zk://me:pw@${zookeeper.hosts}/mesosup`, { mode: 0o600 });
  await startEmbedded(mesos, 'master');
  await startEmbedded(mesos, 'agent');
  await Promise.all((await freePorts(3)).map(start));
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([...schedulers.values()].map((one) => one.kill()));
  if (mesos) await stopEmbedded(mesos);
  await zookeeper?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(port: number): Promise<void> {
  const scheduler = startSchedulerOf(
    path.join(root, 'dist/lib/scheduler.js'),
    ...['--http_port', String(port), '--http_address', '127.0.0.1', '--logging_level', 'info'],
    ...['--master', mesos.master, '--zk', `file://${path.join(directory, 'zk')}`],
    ...['--http_users_file', path.join(directory, 'users'), '--mesos_user', userInfo().username],
  );
  schedulers.set(await scheduler.url(), scheduler);
}

async function request(url: string, method: string, at: string, body?: object): Promise<Response> {
  const headers = { Authorization: AUTHORIZATION };
  return fetch(url + at, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

/** Waits until the schedulers agree on one of them. @returns its URL, and those of the others */
async function elected(): Promise<[string, ...string[]]> {
  const urls = [...schedulers.keys()];
  return until('the schedulers agree on a leader', async () => {
    const answers = await Promise.all(
      urls.map(
        async (url) => (await request(url, 'GET', '/v2/leader')).json() as Promise<{ leader?: string }>,
      ),
    );
    const leader = `http://${answers[0]?.leader}`;
    if (!urls.includes(leader) || answers.some((one) => `http://${one.leader}` !== leader)) return undefined;
    return [leader, ...urls.filter((url) => url !== leader)];
  });
}

async function createApp(url: string, id: string): Promise<void> {
  await until(
    `${id} is created`,
    async () =>
      (await request(url, 'PUT', `/v2/apps${id}`, { cmd: 'sleep 600', cpus: 0.1, mem: 32 })).status < 300,
  );
}

async function open(url: string): Promise<Page> {
  const page = await browser.open(`${url}/ui/`);
  page.setDefaultTimeout(TIMEOUT_MS);
  await signIn(page, 'olga', 'olga-password');
  return page;
}

it('goes on by itself behind a follower, and at the address of the leader as soon as a scheduler runs there', async () => {
  const [leader, follower = '', other = ''] = await elected();
  const atFollower = await open(follower);
  const atLeader = await open(leader);
  const leaving = await open(leader);
  await createApp(leader, '/before');
  for (const page of [atFollower, atLeader]) {
    await page.getByRole('link', { name: 'before' }).waitFor();
    await page.getByText('1/1').waitFor();
  }

  await schedulers.get(leader)?.kill();
  schedulers.delete(leader);
  const killed = Date.now();
  await atLeader.getByText('Not up to date.').waitFor();
  // What was known stays on the screen.
  await atLeader.getByRole('link', { name: 'before' }).waitFor();
  // It leads to the same view at another scheduler, where the sign-in is valid.
  await leaving.getByText('go on at another scheduler').waitFor();
  await picture(leaving, 'stale');
  await leaving.getByRole('link', { name: new URL(other).host }).click();
  await leaving.waitForURL(`${other}/ui/`);
  await leaving.getByRole('link', { name: 'before' }).waitFor();
  const [next] = await elected();
  console.log(`another scheduler leads after ${Date.now() - killed} ms`);
  await createApp(other, '/after');
  const created = Date.now();
  await atFollower.getByRole('link', { name: 'after' }).waitFor();
  console.log(`the page at a follower shows a new app ${Date.now() - created} ms after it was created`);
  expect(await atFollower.getByText('Not up to date.').count()).toBe(0);
  // Its changes reach the new leader.
  await atFollower.getByRole('link', { name: 'after' }).click();
  await atFollower.getByText('1 of 1 running').waitFor();
  await atFollower.getByRole('button', { name: 'Suspend …' }).click();
  await atFollower.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await atFollower.getByText('0 of 0 running').waitFor();
  await atFollower.goto(`${follower}/ui/scheduler`);
  await atFollower.getByText(next.slice('http://'.length)).first().waitFor();
  await atFollower.getByRole('link', { name: next.slice('http://'.length) }).waitFor();
  const row = atFollower.getByRole('row', { name: mesos.master });
  expect(await row.textContent()).toMatch(/leads1\.\d+\.\d+/);

  // As the init system of its host does. It follows now, and the session is valid on every scheduler.
  const restarted = Date.now();
  await start(Number(new URL(leader).port));
  await atLeader.getByRole('link', { name: 'after' }).waitFor();
  await atLeader.getByText('Not up to date.').waitFor({ state: 'hidden' });
  console.log(
    `the page at the old leader goes on ${Date.now() - restarted} ms after the start of a scheduler`,
  );
});

it('has written no error to the console', () => {
  expect(browser.problems).toEqual([]);
});
