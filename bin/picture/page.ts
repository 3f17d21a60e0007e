/** Pictures of the web page in Chromium, from a demo with apps as a small shop might have them. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { chromium, type Page } from 'playwright-core';
import { demoDirectory, readState } from '../../src/demo/directory.ts';
import { BUSYBOX, makeTestImages } from '../../test/e2e/support/busybox-image.ts';

const SIZE = { width: 1280, height: 760 };
const MAX_BYTES = 150_000;
const POLL_MS = 500;
const WITHIN_MS = 120_000;

/** All are a small image with a shell, under other names. */
const IMAGES = {
  web: 'shop/web:2.4.1',
  api: 'shop/api:1.9.0',
  worker: 'shop/worker:3.2.0',
  cache: 'shop/cache:7.2',
};

const LINES = 'GET /cart 200 12ms|POST /orders 201 48ms';
const serve = `while :; do echo '${LINES}' | tr '|' '\\n'; sleep 5; done`;
const alive = { protocol: 'COMMAND', command: { value: 'true' }, intervalSeconds: 2, gracePeriodSeconds: 5 };
const docker = (image: string) => ({ type: 'DOCKER', docker: { image } });
const small = { cpus: 0.1, mem: 48 };

const APPS = [
  { id: '/shop/web', container: docker(IMAGES.web), cmd: serve, instances: 4, healthChecks: [alive] },
  { id: '/shop/api', container: docker(IMAGES.api), cmd: serve, instances: 3, healthChecks: [alive] },
  { id: '/shop/cache', container: docker(IMAGES.cache), cmd: serve, instances: 2 },
  { id: '/shop/orders/worker', container: docker(IMAGES.worker), cmd: serve, instances: 3 },
  { id: '/shop/orders/mailer', container: docker(IMAGES.worker), cmd: serve },
  { id: '/reports/nightly', container: docker(IMAGES.worker), cmd: serve, instances: 0 },
  { id: '/reports/search-index', container: docker(IMAGES.api), cmd: serve, instances: 2, mem: 6000 },
  { id: '/staging/web', container: docker(IMAGES.web), cmd: serve, instances: 2, healthChecks: [alive] },
  { id: '/staging/cache', container: docker(IMAGES.cache), cmd: serve },
].map((app) => ({
  ...small,
  labels: { team: app.id.startsWith('/reports') ? 'data' : 'shop' },
  portDefinitions: [],
  ...app,
}));
const BROKEN = {
  cmd: 'echo "config.yaml: database.host is missing" >&2; echo "see https://wiki.shop.example/config" >&2; exit 2',
  instances: 3,
};

/** Starts a demo, creates the apps, and writes the pictures into the directory. @throws Error if one is too large */
export async function takePagePictures(root: string, directory: string): Promise<void> {
  const mesosup = (...args: string[]) => execa(path.join(root, 'bin/mesosup'), args, { stdin: 'ignore' });
  await mesosup('demo', '--detach', '--agents', '3');
  try {
    await makeTestImages();
    for (const name of Object.values(IMAGES)) await execa('docker', ['tag', BUSYBOX, name]);
    const url = (await readState(demoDirectory(process.getuid?.() ?? 0, process.env)))?.schedulerUrl;
    if (url === undefined) throw new Error('the demo does not run');
    await createApps(url);
    await takeFrom(url, directory);
  } finally {
    await mesosup('demo', 'down');
    await execa('docker', ['rmi', ...Object.values(IMAGES)], { reject: false });
  }
}

async function ask(url: string, method: string, body?: object): Promise<unknown> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

interface AppState {
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly lastTaskFailure?: object;
}

/** Waits until the apps without a problem run, and the others have failed. */
async function createApps(url: string): Promise<void> {
  await ask(`${url}/v2/apps`, 'PUT', APPS);
  const shows = async (id: string, test: (app: AppState) => boolean) => {
    for (const end = Date.now() + WITHIN_MS; Date.now() < end; await sleep(POLL_MS)) {
      const { app } = (await ask(`${url}/v2/apps${id}`, 'GET')) as { app: AppState };
      if (test(app)) return;
    }
    throw new Error(`${id} does not get into its state`);
  };
  await shows('/shop/web', ({ tasksHealthy }) => tasksHealthy === 4);
  await shows('/shop/api', ({ tasksHealthy }) => tasksHealthy === 3);
  await shows('/shop/cache', ({ tasksRunning }) => tasksRunning === 2);
  await ask(`${url}/v2/apps/shop/api?force=true`, 'PATCH', BROKEN);
  await shows('/shop/api', ({ lastTaskFailure }) => lastTaskFailure !== undefined);
}

async function takeFrom(url: string, directory: string): Promise<void> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  try {
    const page = await browser.newPage({ viewport: SIZE, locale: 'en', timezoneId: 'UTC' });
    const take = async (name: string) => {
      const file = path.join(directory, `ui-${name}.png`);
      await page.screenshot({ path: file });
      const { size } = await stat(file);
      if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
      console.log(`${file}: ${size} bytes`);
    };
    await page.goto(`${url}/ui/`);
    await page.getByText('4/4').first().waitFor();
    await take('apps');
    await page.goto(`${url}/ui/app/shop/api`);
    await page.getByRole('region', { name: 'Standard error' }).waitFor();
    await take('app');
    await edit(page, url);
    await take('edit');
  } finally {
    await browser.close();
  }
}

async function edit(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/ui/edit/shop/web`);
  await page.getByLabel('Docker image').fill('shop/web:2.5.0');
  await page.getByLabel('Instances').fill('6');
  await page.getByText('It will').waitFor();
}
