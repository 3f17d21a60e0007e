import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPrometheus } from './support/prometheus.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

/** Debian's packages of clients for Marathon, against the scheduler. */

let cluster: SchedulerCluster;
beforeAll(async () => {
  cluster = await startSchedulerCluster();
});
afterAll(() => cluster?.stop());

describe('python3-marathon', () => {
  it('creates, scales, updates, restarts, kills, rolls back and deletes, and hears of it', async () => {
    const script = path.join(import.meta.dirname, 'support/marathon_client.py');
    const run = await execa('/usr/bin/python3', [script, cluster.url], {
      reject: false,
      all: true,
      timeout: 150_000,
    });
    expect(run.all.split('\n').slice(-5).join('\n')).toContain('done');
    expect(run.exitCode).toBe(0);
  });
});

describe('HTTPie', () => {
  const http = (...args: string[]) =>
    execa('http', ['--ignore-stdin', '--check-status', '--pretty=none', '--print=hb', ...args], {
      reject: false,
    });

  it('makes, scales and deletes an app with fields as it writes them', async () => {
    const app = ['id=/typed', 'cmd=exec sleep 600', 'cpus=0.1', 'mem=16', 'instances=1'];
    const made = await http('POST', `${cluster.url}/v2/apps`, ...app);
    expect(made.stdout).toMatch(/^HTTP\/1\.1 201 Created\r?\n/);
    expect(made.stdout).toContain('Location: /v2/apps/typed');
    const scaled = await http('PUT', `${cluster.url}/v2/apps/typed`, 'instances=2', 'force==true');
    expect(scaled.stdout).toMatch(/"deploymentId":/);
    expect((await http(`${cluster.url}/v2/apps/typed`)).stdout).toContain('"instances":2');
    const wrong = await http('PUT', `${cluster.url}/v2/apps/typed`, 'instances=two');
    expect(wrong.exitCode).toBe(4);
    expect(wrong.stdout).toContain('{"path":"/instances","errors":["must be a whole number"]}');
    expect((await http('DELETE', `${cluster.url}/v2/apps/typed`, 'force==true')).exitCode).toBe(0);
  });
});

describe('Prometheus', () => {
  it('discovers each port of the tasks of an app, with the labels of both', async () => {
    const app = {
      id: '/group/scraped',
      cmd: 'exec sleep 600',
      cpus: 0.1,
      mem: 16,
      labels: { tier: 'front' },
      portDefinitions: [{ name: 'web' }, { name: 'metrics', labels: { metrics: '/metrics' } }],
    };
    const body = JSON.stringify(app);
    expect((await fetch(`${cluster.url}/v2/apps`, { method: 'POST', body })).status).toBe(201);
    const prometheus = await startPrometheus(cluster.url, cluster.directory);
    try {
      const own = async () =>
        (await prometheus.discovered()).filter((labels) => labels.__meta_marathon_app === app.id);
      await expect.poll(own, { timeout: 60_000 }).toHaveLength(2);
      const { tasks } = (await (await fetch(`${cluster.url}/v2/apps${app.id}/tasks`)).json()) as {
        tasks: { id: string; host: string; ports: number[] }[];
      };
      const [task] = tasks;
      expect((await own()).sort((a, b) => ((a.__address__ ?? '') < (b.__address__ ?? '') ? -1 : 1))).toEqual(
        [...(task?.ports ?? [])].sort().map((port) =>
          expect.objectContaining({
            __address__: `${task?.host}:${port}`,
            __meta_marathon_task: task?.id,
            __meta_marathon_app_label_tier: 'front',
            ...(port === task?.ports[1] && { __meta_marathon_port_definition_label_metrics: '/metrics' }),
          }),
        ),
      );
      await fetch(`${cluster.url}/v2/apps${app.id}?force=true`, { method: 'DELETE' });
      await expect.poll(own, { timeout: 60_000 }).toEqual([]);
    } finally {
      await prometheus.stop();
    }
  });
});

describe('curl', () => {
  const curl = async (...args: string[]) =>
    (await execa('curl', ['-sS', '--fail-with-body', ...args])).stdout;

  it('posts a file, asks for what changed only, and follows events', async () => {
    const app = JSON.stringify({ id: '/curled', cmd: 'exec sleep 600', cpus: 0.1, mem: 16 });
    const events = execa('curl', ['-sSN', `${cluster.url}/v2/events?event_type=deployment_success`], {
      reject: false,
    });
    const succeeded: unknown[] = [];
    createInterface({ input: events.stdout }).on('line', (line) => {
      if (line.startsWith('data: ')) succeeded.push(JSON.parse(line.slice('data: '.length)));
    });
    const created = JSON.parse(await curl('-d', app, `${cluster.url}/v2/apps`));
    expect(created).toMatchObject({ id: '/curled', deployments: [{ id: expect.any(String) }] });
    // Deployments of the tests before may still be under way.
    const wanted = { eventType: 'deployment_success', id: created.deployments[0].id };
    await expect.poll(() => succeeded, { timeout: 60_000 }).toContainEqual(expect.objectContaining(wanted));
    events.kill();
    await events;
    const etag = path.join(cluster.directory, 'etag');
    const url = `${cluster.url}/v2/apps/curled`;
    expect(await curl('--etag-save', etag, url)).toContain('"/curled"');
    expect(await curl('--etag-compare', etag, '-w', '%{http_code}', url)).toBe('304');
    expect(await curl('-H', 'Accept: text/plain', `${cluster.url}/v2/tasks`)).toMatch(
      /^curled\t\d+\tlocalhost:\d+\t$/,
    );
    await curl('-X', 'DELETE', url);
  });
});
