/** Every view and state of the web page: rules of accessibility, screenshots, and hostile content as text. */

import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { HOSTILE, hostileAnswer, problemsOf } from './support/hostile-content.ts';
import { lookAt, STATE_FORMS, VIEW_FORMS } from './support/look.ts';
import { signIn, TestBrowser } from './support/page.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

const USERS = '[operator]\nolga:olga-password\n\n[viewer]\nvera:vera-password\n';
const AUTHORIZATION = `Basic ${btoa('olga:olga-password')}`;
const TIMEOUT_MS = 60_000;

let cluster: SchedulerCluster;
let browser: TestBrowser;
let page: Page;
const found: string[] = [];

beforeAll(async () => {
  const users = path.join(tmpdir(), `mesosup-ui-states-users-${process.pid}`);
  await writeFile(users, USERS, { mode: 0o600 });
  [cluster] = await Promise.all([
    startSchedulerCluster(
      { http_users_file: users },
      {},
      { program: 'dist/lib/scheduler.js', authorization: AUTHORIZATION },
    ),
    makeTestImages(),
  ]);
  browser = await TestBrowser.start();
  page = await browser.open(`${cluster.url}/ui/`);
  page.setDefaultTimeout(TIMEOUT_MS);
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

async function put(id: string, app: object): Promise<void> {
  const { status } = await fetch(`${cluster.url}/v2/apps${id}?force=true`, {
    method: 'PUT',
    headers: { Authorization: AUTHORIZATION },
    body: JSON.stringify({ cpus: 0.1, mem: 32, ...app }),
  });
  expect(status).toBeLessThan(300);
}

/** Opens a view and waits for its content. */
async function open(view: string): Promise<void> {
  await page.goto(`${cluster.url}/ui/${view}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('main :text-matches("^Loading")').first().waitFor({ state: 'hidden' });
}

async function look(name: string, forms = STATE_FORMS): Promise<void> {
  found.push(...(await lookAt(page, name, forms)));
  await page.setViewportSize({ width: 1280, height: 800 });
}

const button = (name: string) => page.getByRole('button', { name, exact: true }).first();

/** Looks at a dialog, and closes it by keyboard. */
async function lookAtDialog(name: string): Promise<void> {
  await page.getByRole('dialog').waitFor();
  await look(name);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
}

it('breaks no rule without a connection, at the sign-in, and without apps', {
  timeout: 300_000,
}, async () => {
  await look('sign-in');
  await page.getByLabel('User').fill('olga');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await look('sign-in-wrong');
  await signIn(page, 'olga', 'olga-password');
  await page.getByText('No apps yet.').waitFor();
  await look('apps-empty');
  for (const view of ['deployments', 'queue', 'events']) {
    await open(view);
    await look(`${view}-empty`);
  }
  await open('app/nothing');
  await look('app-missing');
  await open('no-such-view');
  await look('no-such-view');
  await page.route('**/v2/session', (route) => route.abort());
  await open('');
  await page.getByText('No connection').waitFor();
  await look('no-connection');
  await page.unroute('**/v2/session');
  expect(found.splice(0)).toEqual([]);
});

it('breaks no rule in any view, light and dark, at 1280 and 390 pixels', { timeout: 600_000 }, async () => {
  const docker = { type: 'DOCKER', docker: { image: BUSYBOX } };
  const healthChecks = [{ protocol: 'COMMAND', command: { value: 'true' }, intervalSeconds: 2 }];
  const box = { container: docker, cmd: 'echo to-stdout; echo to-stderr >&2; sleep 1000' };
  await put('/shop/box', { ...box, instances: 2, healthChecks });
  await put('/shop/failing', { container: docker, args: [`/${HOSTILE}`] });
  await put('/shop/waiting', { cmd: 'sleep 1', cpus: 100, labels: { [HOSTILE]: HOSTILE } });
  await open('app/shop/box');
  await page.getByText('2 of 2 running').waitFor();
  await put('/shop/box', { ...box, mem: 33, instances: 2, healthChecks, labels: { team: 'shop' } });
  await page.getByText('deploying').waitFor({ state: 'hidden' });
  const tabs = ['config', 'versions', 'why', 'logs'].map((tab) => `app/shop/box?tab=${tab}`);
  const views = ['', 'app/shop/box', ...tabs, 'app/shop/waiting?tab=why', 'app/shop/failing', 'create'];
  for (const view of [...views, 'edit/shop/box', 'deployments', 'queue', 'agents', 'events', 'scheduler']) {
    await open(view);
    await look(view.replaceAll(/\W+/g, '-') || 'apps', VIEW_FORMS);
  }
  expect(found.splice(0)).toEqual([]);
});

it('breaks no rule in any state of them', { timeout: 600_000 }, async () => {
  await open('');
  await page.keyboard.press('?');
  await lookAtDialog('keys');
  await page.getByLabel('Search').fill('nothing');
  await page.getByText('No app matches').waitFor();
  await look('apps-no-match');
  await button('Clear').click();
  await page.getByLabel('Select /shop/box').check();
  await look('apps-selected');
  await button('Restart …').click();
  await lookAtDialog('bulk-restart');
  await open('app/shop/box');
  for (const name of ['Scale', 'Restart', 'Suspend', 'Delete']) {
    await button(`${name} …`).click();
    await lookAtDialog(`app-${name.toLowerCase()}`);
  }
  await page.getByRole('button', { name: /^Kill/ }).first().click();
  await lookAtDialog('app-kill');
  await open('app/shop/box?tab=versions');
  await page.getByRole('button', { name: 'Roll back to this …' }).first().click();
  await lookAtDialog('app-roll-back');
  await open('app/shop/box?tab=logs');
  await button('Pause').click();
  await page.getByLabel('Search').fill('to-std');
  await look('logs-paused');
  await open('app/shop/box?tab=terminal');
  await button('Open a terminal').click();
  await page.getByText('Connected.').waitFor();
  await look('terminal');
  await open('deployments');
  await button('Stop …').click();
  await lookAtDialog('deployment-stop');
  await open('create');
  await page.getByLabel('Definition as JSON').fill('{ "id": "/x", "cmd": "true", "cpus": "many" }');
  await page.getByText(/cpus/).first().waitFor();
  await look('create-invalid');
  await page.getByLabel('Definition as JSON').fill('{');
  await look('create-no-json');
  await open('edit/shop/box');
  await page.getByLabel('Memory, MiB').fill('48');
  await page.getByText('~ mem').waitFor();
  await look('edit-valid');
  await put('/shop/box', { container: { type: 'DOCKER', docker: { image: BUSYBOX } }, cmd: 'sleep 999' });
  await page.getByText('Somebody else has changed').waitFor();
  await look('edit-outdated');
  expect(found.splice(0)).toEqual([]);
});

it('breaks no rule when something is wrong, nor for a viewer', { timeout: 300_000 }, async () => {
  const refuse = { status: 503, json: { message: 'The master does not answer' } };
  await page.route('**/v2/agents', (route) => route.fulfill(refuse));
  await page.route('**/v2/apps?*', (route) => route.fulfill(refuse));
  await open('agents');
  await page.getByRole('alert').waitFor();
  await look('agents-error');
  await page.goto(`${cluster.url}/ui/`);
  await page.getByRole('alert').waitFor();
  await look('apps-error');
  await page.unrouteAll();
  await open('');
  await page.getByRole('link', { name: 'box' }).waitFor();
  process.kill(cluster.pid, 'SIGSTOP');
  await page.context().setOffline(true);
  await page.getByText('Not up to date.').waitFor();
  await look('stale');
  process.kill(cluster.pid, 'SIGCONT');
  await page.context().setOffline(false);
  await page.getByText('Not up to date.').waitFor({ state: 'hidden' });
  await button('Sign out').click();
  await signIn(page, 'vera', 'vera-password');
  await look('apps-viewer');
  await open('app/shop/box');
  await look('app-viewer');
  expect(found.splice(0)).toEqual([]);
});

it('shows hostile names, labels, output and messages as text in every view', {
  timeout: 300_000,
}, async () => {
  const cmd = `printf '%s\\n' "$LINE"; head -c 1000000 /dev/zero | tr '\\0' x; echo; sleep 1000`;
  await put('/shop/hostile', { cmd, env: { LINE: HOSTILE }, labels: { [HOSTILE]: HOSTILE } });
  await open('');
  await button('Sign out').click();
  await signIn(page, 'olga', 'olga-password');
  await open('app/shop/hostile?tab=logs');
  await page.getByText(/more characters; download the log/).waitFor();
  const views = ['config', 'logs'].map((tab) => `app/shop/hostile?tab=${tab}`);
  views.push('', 'app/shop/failing', 'edit/shop/hostile', 'events');
  const problems: string[] = [];
  for (const view of views) {
    await open(view);
    if (view === 'events') {
      // It goes on waiting, for the queue below.
      await put('/shop/waiting', { cmd: 'sleep 2', cpus: 100, labels: { x: HOSTILE } });
      await button('api_post_event').click();
    }
    problems.push(...(await problemsOf(page, view)));
  }
  // What the scheduler would refuse, or this cluster does not have: every text of every answer.
  await page.route(/\/v2\/(?!session|events|.*\/log)/, hostileAnswer);
  for (const view of [
    ...['', 'app/shop/box', 'app/shop/failing', 'app/shop/box?tab=config', 'app/shop/waiting?tab=versions'],
    ...['app/shop/waiting?tab=why', 'queue', 'agents', 'scheduler'],
  ]) {
    await open(view);
    problems.push(...(await problemsOf(page, `injected ${view}`)));
  }
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  expect(problems).toEqual([]);
});

it('has written no error to the console, and broken no rule of its policy', () => {
  expect(browser.problems).toEqual([]);
});
