/** The output and the files of real containers and of a plain command, by the scheduler's API. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { ExecClient } from './support/exec-client.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

const LINES = 30_000;
/** Writes many lines, waits for a file, and writes more. */
const SCRIPT = [
  `i=0; while [ $i -lt ${LINES} ]; do echo "line $i of the output"; i=$((i+1)); done`,
  // Docker's log replaces what is not UTF-8.
  'printf "\\\\303\\\\274\\\\000\\\\n" >&2',
  'cd "$MESOS_SANDBOX"; mkdir below; echo data >below/file',
  'ln -s /etc/passwd host; ln -s ../../.. up; ln -s below/file own',
  'echo ready; while [ ! -e go ]; do sleep 0.1; done; echo gone',
].join('\n');

let cluster: SchedulerCluster;
let certificates: string;
let task: string;

beforeAll(async () => {
  await makeTestImages();
  certificates = mkdtempSync(path.join(tmpdir(), 'mesosup-certificates-'));
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', path.join(certificates, 'key'), '-out', path.join(certificates, 'cert')],
    ],
    { stdio: 'ignore' },
  );
  cluster = await startSchedulerCluster({
    https_port: '0',
    ssl_cert_file: path.join(certificates, 'cert'),
    ssl_key_file: path.join(certificates, 'key'),
  });
  task = await startTask('writer', { container: { docker: { image: BUSYBOX } }, cmd: SCRIPT });
  await vi.waitFor(async () => expect(await log('stream=stdout&tail=1')).toBe('ready\n'), WITHIN);
}, 120_000);
afterAll(async () => {
  await cluster?.stop();
  rmSync(certificates, { recursive: true, force: true });
});

const WITHIN = { timeout: 30_000, interval: 200 };

/** @returns the id of the only task of a new app */
async function startTask(id: string, more: object): Promise<string> {
  const body = JSON.stringify({ id, instances: 1, cpus: 0.1, mem: 32, ...more });
  expect((await fetch(`${cluster.url}/v2/apps`, { method: 'POST', body })).status).toBe(201);
  let found = '';
  await until(`a task of ${id} runs`, async () => {
    const answer = await fetch(`${cluster.url}/v2/apps/${id}/tasks`);
    const { tasks } = (await answer.json()) as { tasks: { id: string; state: string }[] };
    found = tasks[0]?.id ?? '';
    return tasks[0]?.state === 'TASK_RUNNING';
  });
  return found;
}

function get(part: string, headers: Record<string, string> = {}, of = task): Promise<Response> {
  return fetch(`${cluster.url}/v2/tasks/${of}/${part}`, { headers });
}

async function log(query: string, of = task): Promise<string> {
  return (await get(`log?${query}`, {}, of)).text();
}

const ALL = Array.from({ length: LINES }, (_, i) => `line ${i} of the output\n`).join('');

describe('the output of a container', () => {
  it('is read completely, byte for byte', async () => {
    expect(await log('stream=stdout')).toBe(`${ALL}ready\n`);
    const bytes = Buffer.from(await (await get('log?stream=stderr')).arrayBuffer());
    expect(bytes).toEqual(Buffer.from('ü\0\n'));
  });

  it('is read with TLS', async () => {
    const url = /and (https:\S+)"/.exec(cluster.log.join('\n'))?.[1] ?? '';
    const ca = readFileSync(path.join(certificates, 'cert'));
    const answer = await new Promise<string>((resolve, reject) => {
      httpsRequest(`${url}/v2/tasks/${task}/log?tail=2&stream=stdout`, { ca }, (response) =>
        text(response).then(resolve, reject),
      )
        .on('error', reject)
        .end();
    });
    expect(answer).toBe(`line ${LINES - 1} of the output\nready\n`);
  });

  it('is followed with events, which resume, until the container ends', async () => {
    const accept = { accept: 'text/event-stream' };
    const first = new AbortController();
    const began = await fetch(`${cluster.url}/v2/tasks/${task}/log?follow=true&stream=stdout`, {
      headers: accept,
      signal: first.signal,
    });
    let seen = '';
    for await (const chunk of began.body ?? []) {
      seen += Buffer.from(chunk).toString();
      if (textOf(seen).length > ALL.length / 3) break;
    }
    first.abort();
    const before = seen.slice(0, seen.lastIndexOf('\n\n') + 2);
    const id = [...before.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
    const resumed = get('log?follow=true&stream=stdout', { ...accept, 'last-event-id': id });
    // Times are exact to a second.
    await sleep(1100);
    const since = new Date().toISOString();
    const later = get(`log?follow=true&stream=stdout&since=${since}`);
    const session = await fetch(`${cluster.url}/v2/tasks/${task}/exec`, {
      method: 'POST',
      body: JSON.stringify({ argv: ['busybox', 'touch', '/mnt/mesos/sandbox/go'] }),
    });
    expect(session.status).toBe(201);
    const { url } = (await session.json()) as { url: string };
    expect(await (await ExecClient.join(cluster.url, url)).outcome()).toEqual({ type: 'exit', code: 0 });
    const rest = await (await resumed).text();
    expect(textOf(before) + textOf(rest)).toBe(`${ALL}ready\ngone\n`);
    expect(rest).toMatch(/event: end\ndata: \{\}\n\n$/);
    expect(await (await later).text()).toBe('gone\n');
    // It has ended, and its output is there.
    expect(await log('stream=stdout&tail=1')).toBe('gone\n');
    expect(await log(`stream=stdout&since=${since}`)).toBe('gone\n');
    expect(await log('stream=stdout&since=1d')).toBe(`${ALL}ready\ngone\n`);
  });
});

/** The texts of the events so far. */
function textOf(events: string): string {
  const complete = events.slice(0, events.lastIndexOf('\n\n') + 2);
  return [...complete.matchAll(/^event: stdout\ndata: (.*)$/gm)]
    .map(([, data = '']) => (JSON.parse(data) as { text: string }).text)
    .join('');
}

describe('the files of a container', () => {
  it('are listed and read, and links are not followed', async () => {
    const { entries } = (await (await get('files')).json()) as { entries: { name: string; type: string }[] };
    expect(entries.map(({ name, type }) => [name, type])).toEqual(
      expect.arrayContaining([
        ['below', 'directory'],
        ['host', 'link'],
        ['own', 'link'],
        ['up', 'link'],
      ]),
    );
    expect(await (await get('files?path=below/file')).text()).toBe('data\n');
    for (const link of ['host', 'up', 'own', 'up/stdout', `up/tasks/${task}/stdout`]) {
      const answer = await get(`files?path=${link}`);
      expect([answer.status, await answer.text()], link).toEqual([
        422,
        expect.stringMatching(/not followed/),
      ]);
    }
  });
});

it('shows the output and the files of a plain command', async () => {
  const command = await startTask('plain', { cmd: 'echo out; echo err >&2; echo x >made; sleep 600' });
  await vi.waitFor(async () => expect(await log('stream=stderr', command)).toContain('err\n'), WITHIN);
  expect(await log('stream=stdout', command)).toContain('out\n');
  expect(await (await get('files?path=made', {}, command)).text()).toBe('x\n');
  expect(await log('stream=stderr&since=1d', command)).toContain('err\n');
  const refused = await get('log?since=0s', {}, command);
  expect([refused.status, await refused.text()]).toEqual([
    422,
    expect.stringContaining('its output has no times'),
  ]);
});
