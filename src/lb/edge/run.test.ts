import { getEventListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { writeHaproxyProgram } from '../../../test/lb/haproxy-program.ts';
import { snapshotOf } from '../../../test/lb/snapshots.ts';
import { freePort } from '../../../test/support/free-ports.ts';
import type { ApiClient } from '../../client/api-client.ts';
import { readOptions } from '../options.ts';
import { Haproxy } from './haproxy.ts';
import { runBalancer } from './run.ts';

it('keeps nothing of the changes that are done', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  const stopped = new AbortController();
  const { signal } = stopped;
  const listeners: number[] = [];
  const client = {
    url: 'http://scheduler',
    call: async () => {
      listeners.push(getEventListeners(signal, 'abort').length);
      if (listeners.length === 20) stopped.abort();
      throw new Error('no answer');
    },
    events: async function* () {
      while (!signal.aborted) {
        yield {};
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  };
  const options = readOptions({
    'data-dir': directory,
    'gather-ms': '0',
    metrics: `127.0.0.1:${await freePort()}`,
  });
  try {
    await runBalancer(options, client as unknown as ApiClient, pino({ level: 'silent' }), signal);
  } finally {
    await rm(directory, { recursive: true });
  }
  expect(Math.max(...listeners)).toBeLessThan(10);
});

it('keeps the configuration of a running haproxy without a stored state, until the scheduler knows all tasks', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  const program = await writeHaproxyProgram(directory);
  const haproxy = new Haproxy(program, directory);
  const stopped = new AbortController();
  const { signal } = stopped;
  let count = 0;
  const client = {
    url: 'http://scheduler',
    call: async () => {
      count += 1;
      if (count === 3) stopped.abort();
      return snapshotOf([], { unanswered: 3 });
    },
    events: async function* () {
      while (!signal.aborted) {
        yield {};
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  };
  const metrics = `127.0.0.1:${await freePort()}`;
  const options = readOptions({ 'data-dir': directory, 'gather-ms': '0', haproxy: program, metrics });
  try {
    await haproxy.replace('earlier');
    await runBalancer(options, client as unknown as ApiClient, pino({ level: 'silent' }), signal);
    expect(await readFile(haproxy.configuration, 'utf8')).toBe('earlier');
  } finally {
    await haproxy.stop();
    await rm(directory, { recursive: true });
  }
});
