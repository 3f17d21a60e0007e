/** Pulls of the executor with the real Docker engine, from registries on this machine. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DockerEngine } from '../../../src/docker/engine.ts';
import type { AgentPolicy } from '../../../src/executor/domain/policy.ts';
import { type ImageRequest, Images } from '../../../src/executor/images.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { executorBench } from '../support/executor-bench.ts';
import { containersOf, taskOf } from '../support/executor-process.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { startSchedulerCluster } from '../support/scheduler-cluster.ts';

const engine = new DockerEngine();
const bench = executorBench();
let directory: string;
let registry: FakeRegistry;
let image: string;
/** Answers that a test holds back. */
let held: ServerResponse[];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-images-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(async () => {
  // Large enough for a slow download, and hardly compressible.
  await writeFile(path.join(directory, 'data'), randomBytes(1_500_000));
  const tar = await execa('tar', ['-C', directory, '-cf', '-', 'data'], { encoding: 'buffer' });
  registry = await FakeRegistry.start(Buffer.from(tar.stdout));
  image = `${registry.host}/mesosup-test/pulled:1`;
  held = [];
});
afterEach(async () => {
  for (const response of held) response.destroy();
  await registry.stop();
  await execa('docker', ['rmi', '-f', image], { reject: false });
});

function images(policy: AgentPolicy = {}, reportEveryMs = 15_000): Images {
  return new Images({ engine, records: undefined, policy: () => ({ file: 'test', policy }), reportEveryMs });
}

function requestOf(more: Partial<ImageRequest> = {}) {
  const notes: string[] = [];
  const progress: string[] = [];
  const request: ImageRequest = {
    image,
    force: false,
    fetched: [],
    signal: new AbortController().signal,
    note: (line) => notes.push(line),
    progress: (message) => progress.push(message),
    ...more,
  };
  return { request, notes, progress };
}

/** Holds back all requests for a part of the registry. @returns the first of them */
function hold(part: string): Promise<void> {
  const first = Promise.withResolvers<void>();
  registry.intercept = (request, response) => {
    if (request.url?.includes(part) !== true) return false;
    held.push(response);
    first.resolve();
    return true;
  };
  return first.promise;
}

describe('one pull', () => {
  test.each([false, true])('serves 20 tasks of the image (forced: %s)', async (force) => {
    const all = images();
    const requests = Array.from({ length: 20 }, () => requestOf({ force }));
    const found = await Promise.all(requests.map(({ request }) => all.prepare(request)));
    expect(new Set(found.map(({ Id }) => Id)).size).toBe(1);
    expect(registry.pulls).toBe(1);
    for (const { notes } of requests) expect(notes.join('\n')).toContain('Status: ');
  });

  test('continues when a task leaves it, and is cancelled by the last one', async () => {
    const all = images();
    const asked = hold('/blobs/');
    const leavers = [new AbortController(), new AbortController()] as const;
    const pulls = leavers.map(({ signal }) => all.prepare(requestOf({ signal }).request));
    await asked;
    const joined = requestOf();
    const third = all.prepare(joined.request);
    await vi.waitFor(() =>
      expect(joined.notes).toContain(`Pulling ${image}: waiting for the pull of another task`),
    );
    for (const leaver of leavers) leaver.abort();
    for (const pull of pulls) await expect(pull).rejects.toMatchObject({ name: 'AbortError' });
    for (const response of held.splice(0)) response.destroy();
    registry.intercept = () => false;
    expect(await third).toHaveProperty('Id');
    const alone = new AbortController();
    const forced = all.prepare(requestOf({ signal: alone.signal, force: true }).request);
    alone.abort();
    await expect(forced).rejects.toMatchObject({ name: 'AbortError' });
    expect((await all.prepare(requestOf({ force: true }).request)).Id).toBe((await third).Id);
  });
});

describe('a registry', () => {
  test('that answers 500 twice is asked again', async () => {
    let faults = 2;
    registry.intercept = (request, response) => {
      if (!request.url?.includes('/manifests/') || faults === 0) return false;
      faults -= 1;
      response.writeHead(500).end();
      return true;
    };
    const { request, progress } = requestOf();
    await images().prepare(request);
    expect(faults).toBe(0);
    expect(progress[0]).toMatch(/can't be pulled yet: .*500.* Attempt 2 of 5 follows in 1\.\d s$/);
  });

  test('that is not running fails the pull after all attempts, even if the image is present', async () => {
    await images().prepare(requestOf().request);
    await registry.stop();
    const forced = images({ pullAttempts: 2 }).prepare(requestOf({ force: true }).request);
    await expect(forced).rejects.toThrow(/can't be pulled: .*connection refused.* \(2 attempts\)$/);
    expect(await images().prepare(requestOf().request)).toHaveProperty('Id');
  });

  test('without the image fails the pull at once', async () => {
    registry.intercept = (_request, response) => {
      response.writeHead(404, { 'Content-Type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return true;
    };
    const { request, progress } = requestOf();
    await expect(images().prepare(request)).rejects.toThrow(`Image ${image} can't be pulled: manifest`);
    expect(progress).toEqual([]);
  });

  test('that stalls fails the pull at its deadline', async () => {
    void hold('/blobs/');
    const stalled = images({ pullTimeoutSeconds: 1 }).prepare(requestOf().request);
    await expect(stalled).rejects.toThrow(/can't be pulled: no end within 1 s; 0\.0 MB, 0 of 1 layers done$/);
  });

  test('that is slow has its progress reported', async () => {
    registry.intercept = (request, response, body) => {
      // The configuration is small.
      if (!request.url?.includes('/blobs/') || body.length < 1000) return false;
      response.writeHead(200, { 'Content-Length': body.length });
      void (async () => {
        const part = Math.ceil(body.length / 8);
        for (let at = 0; at < body.length; at += part) {
          response.write(body.subarray(at, at + part));
          await sleep(150);
        }
        response.end();
      })();
      return true;
    };
    const { request, progress } = requestOf();
    await images({}, 300).prepare(request);
    expect(progress.join('\n')).toMatch(
      /^Pulling 127\.0\.0\.1:\d+\/mesosup-test\/pulled:1: \d\.\d MB of 1\.5 MB \(\d\d?%\), 0 of 1 layers done$/m,
    );
    expect(progress.length).toBeLessThan(7);
  });
});

test('a Docker engine that restarts during a pull costs an attempt', async () => {
  const proxy = new EngineProxy(path.join(directory, 'docker.sock'));
  await proxy.open();
  const asked = hold('/blobs/');
  const proxied = new DockerEngine(proxy.socket);
  const policy = () => ({ file: 'test', policy: {} });
  const { request, progress } = requestOf();
  const found = new Images({ engine: proxied, records: undefined, policy }).prepare(request);
  await asked;
  await proxy.close();
  registry.intercept = () => false;
  for (const response of held.splice(0)) response.destroy();
  await vi.waitFor(() => expect(progress).toHaveLength(1));
  await proxy.open();
  expect(await found).toHaveProperty('Id');
  expect(progress[0]).toMatch(/can't be pulled yet: .*Docker.* Attempt 2 of 5 follows/);
  await proxy.close();
});

test('an image with a digest is pulled once and found by the digest', async () => {
  const { RepoDigests } = await pulled();
  const digest = RepoDigests[0] ?? '';
  expect(digest).toMatch(/@sha256:[0-9a-f]{64}$/);
  await execa('docker', ['rmi', image]);
  for (const name of [digest, `${image}@${digest.split('@')[1]}`]) {
    const { Id } = await images().prepare(requestOf({ image: name }).request);
    expect(Id).toMatch(/^sha256:/);
    const before = registry.requests.length;
    await images().prepare(requestOf({ image: name }).request);
    expect(registry.requests.length).toBe(before);
  }
  await execa('docker', ['rmi', digest]);
});

test('tasks tell why they wait, and fail with the registry’s words', async () => {
  const { agent, cluster } = bench;
  registry.intercept = (_request, response) => {
    response.writeHead(503).end();
    return true;
  };
  const executor = await bench.start();
  agent.launch(taskOf('a', 'true', { image }));
  agent.launch(taskOf('b', 'true', { image }));
  const update = await agent.until(() =>
    agent.updates.find((u) => u.task_id.value === 'a' && u.message !== undefined),
  );
  expect(update.state).toBe('TASK_STARTING');
  expect(update.message).toContain('503');
  agent.kill('a');
  await agent.update('a', 'TASK_KILLED');
  registry.intercept = (_request, response) => {
    response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    return true;
  };
  const failed = await agent.update('b', 'TASK_FAILED');
  expect(failed.message).toMatch(/can't be pulled: .*manifest unknown.* attempts\)$/);
  expect(failed.reason).toBe('REASON_CONTAINER_LAUNCH_FAILED');
  expect(await executor.read('tasks/b/stderr')).toContain('503');
  expect(await containersOf(cluster)).toEqual([]);
});

test('clients of the scheduler read in its events why a task waits', async () => {
  registry.intercept = (_request, response) => {
    response.writeHead(503).end();
    return true;
  };
  const cluster = await startSchedulerCluster();
  const ended = new AbortController();
  try {
    const headers = { Accept: 'text/event-stream' };
    const events = await fetch(`${cluster.url}/v2/events`, { headers, signal: ended.signal });
    const app = { id: '/waits', container: { docker: { image } }, cpus: 0.1, mem: 32 };
    const body = JSON.stringify(app);
    const created = await fetch(`${cluster.url}/v2/apps`, { method: 'POST', body });
    expect(created.status).toBe(201);
    const pattern = /"taskStatus":"TASK_STARTING","message":"Image [^"]*503/;
    let text = '';
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (pattern.test(text)) break;
    }
    expect(text).toMatch(pattern);
    await fetch(`${cluster.url}/v2/apps/waits`, { method: 'DELETE' });
  } finally {
    ended.abort();
    await cluster.stop();
  }
});

async function pulled(): Promise<{ RepoDigests: string[] }> {
  await images().prepare(requestOf().request);
  const { stdout } = await execa('docker', ['image', 'inspect', image]);
  return (JSON.parse(stdout) as [{ RepoDigests: string[] }])[0];
}
