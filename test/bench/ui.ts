/**
 * Opens the web page with 1,000 apps and 10,000 tasks, changes 50 tasks each second, and scrolls. `node test/bench/ui.ts`; with
 * a number of seconds for how long it scrolls. Needs `npm run build`.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { createPage } from '../../src/scheduler/page/page.ts';

const root = path.resolve(import.meta.dirname, '../..');
const APPS = 1000;
const EACH = 10;
const UPDATES_PER_SECOND = 50;
const seconds = Number(process.argv[2] ?? 60);

/** Serves the page's files, and passes everything else on to the API. */
async function serve(apiPort: number): Promise<string> {
  const page = createPage(path.join(root, 'dist/lib/ui'), (what, error) => console.error(what, error));
  const pass = (incoming: IncomingMessage, answer: ServerResponse) => {
    const { method, url, headers } = incoming;
    const passed = request({ port: apiPort, host: '127.0.0.1', method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    incoming.pipe(passed);
  };
  const server = createServer((incoming, answer) => {
    if (!page.answer(incoming, answer)) pass(incoming, answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function update(child: ChildProcess, stop: AbortSignal): Promise<void> {
  const every = 1000 / 5;
  while (!stop.aborted) {
    const began = Date.now();
    const changed = once(child, 'message');
    child.send({ change: UPDATES_PER_SECOND / 5 });
    await changed;
    await sleep(Math.max(0, every - (Date.now() - began)));
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: by the clock, and of the processor. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

interface LongTasks {
  /** Milliseconds of tasks above 50 ms, by the clock: on a busy machine, they contain the work of others. */
  readonly clock: number[];
  /** Those that used the processor for more than 50 ms. */
  readonly processor: number[];
  /** The longest time of the processor, in milliseconds. */
  readonly longest: number;
}

/** Runs what takes a while, and finds long tasks of the page's main thread. */
async function longTasksOf(page: Page, run: () => Promise<void>): Promise<LongTasks> {
  const categories = ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'];
  await browser.startTracing(page, { categories });
  await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => /RunTask$/.test(name) && threads.has(`${pid} ${tid}`),
  );
  const long = (one: 'dur' | 'tdur') =>
    tasks.map((task) => Math.round((task[one] ?? 0) / 1000)).filter((ms) => ms > 50);
  if (!tasks.some(({ tdur }) => tdur !== undefined))
    throw new Error('the trace has no times of the processor');
  const longest = Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
  return { clock: long('dur'), processor: long('tdur'), longest };
}

/** Runs in the page: notes when the first row of an app is there. */
const NOTE_FIRST_ROW = `new MutationObserver((_, observer) => {
  if (!document.querySelector('[data-id]')) return;
  window.firstRow = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true })`;
const READ_TIMES =
  "[window.firstRow, window.firstRow - performance.getEntriesByType('navigation')[0].loadEventEnd]";

/** @returns milliseconds from the address to the first row, and from the end of the load */
async function openPage(page: Page, url: string): Promise<[number, number]> {
  await page.goto(`${url}/ui/`, { waitUntil: 'commit' });
  await page.locator('[data-id]').first().waitFor();
  await page.waitForLoadState('load');
  return page.evaluate(READ_TIMES);
}

/** Prints how long it takes until apps are shown, in a browser that has never seen the page, and in one that has. */
async function measureFirstViews(url: string): Promise<void> {
  const cold: [number, number][] = [];
  const warm: [number, number][] = [];
  for (let i = 0; i < 5; i += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(NOTE_FIRST_ROW);
    cold.push(await openPage(page, url));
    warm.push(await openPage(page, url));
    await context.close();
  }
  for (const [what, times] of [
    ['without a cache', cold],
    ['with a cache', warm],
  ] as const) {
    const [all, afterLoad] = [0, 1].map((i) => times.map((one) => Math.round(one[i] ?? 0)).join(', '));
    console.log(`first view ${what}: ${all} ms, of which after the load ${afterLoad} ms; load ${load()}`);
  }
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(0);
}

async function heapMiB(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 2 ** 20;
}

const child = fork(path.join(import.meta.dirname, 'scheduler/api-process.ts'), [String(APPS), String(EACH)]);
const [{ port, tasks }] = (await once(child, 'message')) as [{ port: number; tasks: number }];
const url = await serve(port);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const stop = new AbortController();
try {
  console.log(`${tasks} tasks of ${APPS} apps`);
  await measureFirstViews(url);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(NOTE_FIRST_ROW);
  await openPage(page, url);
  const updates = update(child, stop.signal);
  await page.mouse.move(600, 500);
  const begin = await heapMiB(page);
  const found = { clock: 0, processor: 0, longest: 0 };
  for (let left = seconds; left > 0; left -= 10) {
    const { clock, processor, longest } = await longTasksOf(page, async () => {
      for (const end = Date.now() + Math.min(left, 10) * 1000; Date.now() < end; ) {
        await page.mouse.wheel(0, Math.random() < 0.5 ? 700 : -600);
        await sleep(30);
      }
    });
    found.clock += clock.length;
    found.processor += processor.length;
    found.longest = Math.max(found.longest, longest);
    console.log(
      `heap ${(await heapMiB(page)).toFixed(1)} MiB; long tasks: ${processor.join(', ') || 'none'}; load ${load()}`,
    );
  }
  stop.abort();
  await updates;
  console.log(
    `${seconds} s of scrolling with ${UPDATES_PER_SECOND} updates a second: ${found.processor} tasks above 50 ms ` +
      `of the processor (longest ${found.longest.toFixed(0)} ms), ${found.clock} by the clock, at a load of ${load()}; heap from ${begin.toFixed(1)} to ${(await heapMiB(page)).toFixed(1)} MiB`,
  );
} finally {
  await browser.close();
  child.disconnect();
}
process.exit();
