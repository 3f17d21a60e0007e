/** The web page in Chromium, with real containers. */

import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { violations } from './support/look.ts';
import { picture, press, signIn, TestBrowser, tabTo, timeOf } from './support/page.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

const USERS = '[operator]\nolga:olga-password\n\n[viewer]\nvera:vera-password\n';
const AUTHORIZATION = `Basic ${btoa('olga:olga-password')}`;
/** Each step waits for a real container at most so long. */
const TIMEOUT_MS = 60_000;

let cluster: SchedulerCluster;
let browser: TestBrowser;
let page: Page;
/** A viewer's, at the list of apps. */
let other: Page;

beforeAll(async () => {
  const users = path.join(tmpdir(), `mesosup-ui-users-${process.pid}`);
  await writeFile(users, USERS, { mode: 0o600 });
  const [started] = await Promise.all([
    startSchedulerCluster(
      { http_users_file: users },
      {},
      { program: 'dist/lib/scheduler.js', authorization: AUTHORIZATION },
    ),
    makeTestImages(),
  ]);
  cluster = started;
  browser = await TestBrowser.start();
  page = await browser.open(`${cluster.url}/ui/`);
  page.setDefaultTimeout(TIMEOUT_MS);
  other = await browser.open(`${cluster.url}/ui/`, { colorScheme: 'dark' });
  other.setDefaultTimeout(TIMEOUT_MS);
  await signIn(other, 'vera', 'vera-password');
  followEvents().catch(() => {});
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

async function request(method: string, at: string, body?: unknown): Promise<Response> {
  return fetch(cluster.url + at, {
    method,
    headers: { Authorization: AUTHORIZATION },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** Ends the session of the page as a sign-out elsewhere does. */
async function revokeSession(): Promise<void> {
  const cookies = await page.context().cookies();
  const Cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const { status } = await fetch(`${cluster.url}/v2/session`, {
    method: 'DELETE',
    headers: { Cookie, Origin: cluster.url },
  });
  expect(status).toBe(204);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

async function signInAgain(user: string): Promise<void> {
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(`${user}-password`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** The times of the scheduler's events, in milliseconds since the epoch, while they are followed. */
const events: { readonly at: number; readonly text: string }[] = [];

async function followEvents(): Promise<void> {
  const response = await request('GET', '/v2/events');
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const complete = (text + chunk).split('\n\n');
    text = complete.pop() ?? '';
    for (const one of complete) {
      const at = /"timestamp":"([^"]+)"/.exec(one)?.[1];
      if (at !== undefined) events.push({ at: Date.parse(at), text: one });
    }
  }
}

const delays: string[] = [];

/** Notes how long after its event a second browser shows a change. @param event matches the event */
async function noteDelay(what: string, shown: Promise<number>, event: RegExp): Promise<void> {
  const at = await shown;
  const cause = await until('the event', async () => events.findLast(({ text }) => event.test(text)));
  delays.push(`${what} ${at - cause.at} ms`);
  expect(at - cause.at).toBeLessThan(TIMEOUT_MS);
}

/** The row of the app in the list shows this number of running instances. */
function running(text: string): string {
  return `document.querySelector('[data-id="/shop/box"]')?.closest('[role=row]').textContent.includes('${text}')`;
}

it('refuses a wrong password, and signs in with the right one where the user wanted to go', async () => {
  await page.goto(`${cluster.url}/ui/queue`);
  const user = page.getByLabel('User');
  await user.waitFor();
  await expect.poll(() => user.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
  await page.keyboard.type('olga');
  await page.keyboard.press('Tab');
  await page.keyboard.type('wrong\n');
  await page.getByText('The user or the password is wrong.').waitFor();
  await page.keyboard.type('olga-password\n');
  await page.getByText('No app is waiting').waitFor();
});

it('creates an app by keyboard alone, and shows its container to a second person as it starts', async () => {
  await page.keyboard.press('c');
  const id = page.getByLabel('Id');
  await id.waitFor();
  await expect.poll(() => id.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('/shop/box');
  await tabTo(page, page.getByLabel('Docker image'));
  await page.keyboard.type(BUSYBOX);
  await tabTo(page, page.getByLabel('Command'));
  await page.keyboard.type('echo hello-from-box; echo problem-in-box >&2; sleep 1000');
  await page.getByText('It will start /shop/box').waitFor();
  const shown = timeOf(other, `document.querySelector('[data-id="/shop/box"]')`);
  const started = timeOf(other, running('1/1'));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '/shop/box' }).waitFor();
  await noteDelay('creation', shown, /event: deployment_info/);
  await page.getByText('1 of 1 running').waitFor();
  await noteDelay('start', started, /TASK_RUNNING/);
  await picture(page, 'app');
});

it('scales by keyboard, and shows it to a viewer, who is offered no changes', async () => {
  const shown = timeOf(other, running('2/2'));
  await press(page, page.getByRole('button', { name: 'Scale …' }));
  await tabTo(page, page.getByRole('dialog').getByLabel('Instances'));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('2\n');
  await noteDelay('second instance', shown, /TASK_RUNNING/);
  await page.getByText('2 of 2 running').waitFor();
  // A viewer is not offered what the scheduler would refuse.
  await other.getByRole('link', { name: 'box' }).click();
  await other.getByRole('tab', { name: 'Logs' }).waitFor();
  expect(await other.getByRole('button', { name: /Scale|Restart|Delete|Edit|Kill/ }).count()).toBe(0);
  expect(await other.getByRole('tab', { name: 'Terminal' }).count()).toBe(0);
  await other.goBack();
});

it('shows by keyboard the output of a task, finds text in it, and a terminal in its container', async () => {
  await tabTo(page, page.getByRole('tab', { name: 'Instances' }));
  const goTo = async (name: string) => {
    const tab = page.getByRole('tab', { name });
    for (let left = 10; left > 0 && (await tab.getAttribute('aria-selected')) !== 'true'; left -= 1)
      await page.keyboard.press('ArrowRight');
  };
  await goTo('Logs');
  const log = page.getByRole('log', { name: 'Output' });
  await log.getByText('problem-in-box').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('hello');
  await expect.poll(() => log.locator('mark').count()).toBe(1);
  expect(await log.textContent()).not.toContain('problem-in-box');
  await page.keyboard.press('Escape');
  await tabTo(page, page.getByRole('tab', { name: 'Logs' }));
  await goTo('Terminal');
  await press(page, page.getByRole('button', { name: 'Open a terminal' }));
  await page.getByText('Connected.').waitFor();
  await page.keyboard.type('echo typed-$((40 + 2))\n');
  await page.locator('.terminal-place').getByText('typed-42').first().waitFor();
  await page.keyboard.type('exit 3\n');
  await page.getByText('The command ended with exit code 3.').waitFor();
  await page.keyboard.press('Control+Shift+Escape');
});

it('stays usable while a terminal is flooded, and ends the flood with Ctrl+C', async () => {
  let pauses = 0;
  page.once('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (String(payload).includes('"pause"')) pauses += 1;
    }),
  );
  await page.getByRole('button', { name: 'Open a new terminal' }).click();
  await page.getByText('Connected.').waitFor();
  await page.keyboard.type('yes flood\n');
  await page.locator('.terminal-place').getByText('flood').first().waitFor();
  // The browser would keep in memory what comes faster than it is drawn. On a busy machine, it comes no faster, unless the
  // page is busy, too.
  const draw = () => page.evaluate('for (const end = Date.now() + 2000; Date.now() < end; );');
  await expect.poll(() => draw().then(() => pauses), { timeout: TIMEOUT_MS }).toBeGreaterThan(0);
  const before = Date.now();
  await page.getByLabel('Command').fill('/bin/sh -c true');
  expect(Date.now() - before).toBeLessThan(10_000);
  await page.getByLabel('Command').fill('/bin/sh');
  await page.locator('.terminal-place textarea').focus();
  await page.keyboard.press('Control+C');
  await page.keyboard.type('echo after-$((40 + 2))\n');
  await page.locator('.terminal-place').getByText('after-42').first().waitFor();
  await page.keyboard.type('exit\n');
  await page.getByText('The command ended with exit code').waitFor();
});

it('shows why a wrong image fails, and rolls the app back, by keyboard', async () => {
  await page.goto(`${cluster.url}/ui/app/shop/box`);
  await press(page, page.getByRole('button', { name: 'Edit' }));
  await tabTo(page, page.getByLabel('Docker image'));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('127.0.0.1:1/missing:1');
  await page.getByText('~ container.docker.image').waitFor();
  const save = page.getByRole('button', { name: 'Save the changes' });
  await expect.poll(() => save.isEnabled()).toBe(true);
  const deploying = timeOf(other, running('deploying'));
  await page.keyboard.press('Enter');
  await noteDelay('change', deploying, /event: deployment_info/);
  await page.getByRole('heading', { name: 'Last failure' }).waitFor();
  await page
    .getByText(/127\.0\.0\.1:1\/missing:1 can't be pulled/)
    .first()
    .waitFor();
  await picture(page, 'failure');
  // Another change would have to replace the running deployment, which it asks.
  await press(page, page.getByRole('button', { name: 'Restart …' }));
  await press(page, page.getByRole('dialog').getByRole('button', { name: 'Restart' }));
  await page.getByRole('heading', { name: 'Replace the running deployment?' }).waitFor();
  await page.keyboard.press('Escape');
  await press(page, page.getByRole('link', { name: 'Show the deployment' }));
  await page.waitForURL(/\/ui\/deployment\/[-\w]+$/);
  await page.reload();
  await page.getByRole('img', { name: /^0 of \d new running, .*\d old$/ }).waitFor();
  await picture(page, 'deployment');
  expect(await violations(page)).toEqual([]);
  const deployment = page.url();
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  const rolledBack = timeOf(other, `!${running('deploying')}`);
  await press(page, page.getByRole('button', { name: 'Roll back …' }));
  await press(page, page.getByRole('dialog').getByRole('button', { name: 'Roll back' }));
  await page.getByText('Nothing is being deployed.').waitFor();
  await noteDelay('end of the roll-back', rolledBack, /event: deployment_success/);
  await page.goto(deployment);
  await page.getByText('There is no running deployment').waitFor();
  const { app } = (await (await request('GET', '/v2/apps/shop/box')).json()) as {
    app: { container: { docker: { image: string } } };
  };
  expect(app.container.docker.image).toBe(BUSYBOX);
});

it('tells the second of two people who edit the same app', async () => {
  await page.goto(`${cluster.url}/ui/edit/shop/box`);
  await page.getByLabel('Memory, MiB').fill('33');
  const second = await browser.open(`${cluster.url}/ui/edit/shop/box`);
  await second.getByLabel('User').fill('olga');
  await second.getByLabel('Password').fill('olga-password');
  await second.keyboard.press('Enter');
  await second.getByLabel('Memory, MiB').fill('34');
  await second.getByRole('button', { name: 'Save the changes' }).click();
  await second.getByRole('heading', { name: '/shop/box' }).waitFor();
  await page.getByText('Somebody else has changed /shop/box').waitFor();
  expect(await page.getByRole('button', { name: 'Save the changes' }).isDisabled()).toBe(true);
  await second.context().close();
});

it('keeps what was typed when the session ends, for the same user', async () => {
  await page.goto(`${cluster.url}/ui/edit/shop/box`);
  await page.getByLabel('Memory, MiB').fill('77');
  await page.getByText('~ mem').waitFor();
  await revokeSession();
  await signInAgain('olga');
  await page.getByText('What you had typed is kept').waitFor();
  expect(await page.getByLabel('Memory, MiB').inputValue()).not.toBe('77');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Restore it' }).click();
  expect(await page.getByLabel('Memory, MiB').inputValue()).toBe('77');
  await page.getByText('~ mem').waitFor();
  // Somebody else is not offered it.
  await revokeSession();
  await signInAgain('vera');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signInAgain('olga');
  await page.getByLabel('Memory, MiB').waitFor();
  expect(await page.getByText('What you had typed is kept').count()).toBe(0);
});

it('shows an open question only to the user whom it asked', async () => {
  await page.goto(`${cluster.url}/ui/app/shop/box`);
  await page.getByRole('button', { name: 'Delete …' }).click();
  await page.getByRole('dialog').waitFor();
  await revokeSession();
  await signInAgain('vera');
  await page.getByRole('heading', { name: '/shop/box' }).waitFor();
  expect(await page.getByRole('dialog').count()).toBe(0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signInAgain('olga');
});

it('shows the capacity of the agents', async () => {
  await page.goto(`${cluster.url}/ui/agents`);
  const map = page.getByRole('list', { name: 'Map of the agents' });
  await map.getByText('%').waitFor();
  await page.getByRole('cell', { name: 'active' }).waitFor();
});

it('drains an agent, shows its tasks, and ends the drain', async () => {
  await page.getByRole('button', { name: /^Drain / }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await page.getByRole('cell', { name: 'draining' }).waitFor();
  await page
    .getByRole('row', { name: /draining/ })
    .getByRole('link')
    .click();
  await page
    .getByRole('region', { name: 'Tasks' })
    .getByRole('link', { name: '/shop/box' })
    .first()
    .waitFor();
  // The cluster has no other agent.
  await page.getByText('No other agent has room for /shop/box').waitFor();
  await picture(page, 'agent');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: /^End the drain/ }).click();
  await page.getByText('active').waitFor();
  await page.goto(`${cluster.url}/ui/agent/TYPO`);
  await page.getByRole('heading', { name: 'There is no agent TYPO' }).waitFor();
  await page.getByRole('link', { name: 'Show all agents' }).click();
  await page.getByRole('heading', { name: 'Agents' }).waitFor();
});

it('asks for the password again when the session has ended, and goes on in the same view', async () => {
  await page.goto(`${cluster.url}/ui/app/shop/box`);
  await page.getByRole('heading', { name: '/shop/box' }).waitFor();
  await page.context().clearCookies();
  // Or the page has asked for something by itself, and the tab is gone.
  await page.evaluate(`document.querySelector('#tab-versions')?.click()`);
  await page.getByLabel('User').fill('olga');
  await page.getByLabel('Password').fill('olga-password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: '/shop/box' }).waitFor();
});

it('deletes the app by keyboard, and leads back to the list', async () => {
  const removed = timeOf(other, `!document.querySelector('[data-id="/shop/box"]')`);
  await press(page, page.getByRole('button', { name: 'Delete …' }));
  await press(page, page.getByRole('dialog').getByRole('button', { name: 'Delete' }));
  await page.getByRole('heading', { name: 'Apps' }).waitFor();
  await noteDelay('removal', removed, /event: app_terminated_event/);
  await expect.poll(() => page.getByRole('link', { name: 'box', exact: true }).count()).toBe(0);
  console.log(`a second browser shows after their events: ${delays.join(', ')}`);
  await request('POST', '/v2/groups', { id: '/empty/group' });
  await page.getByRole('row', { name: /group\/ .*0 apps/ }).waitFor();
});

it('has written no error to the console, and broken no rule of its policy', () => {
  expect(browser.problems).toEqual([]);
});
