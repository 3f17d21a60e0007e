/** Health checks of ports that are not published on the host, in each kind of network that Docker has here. */

import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HealthCheck, TaskStatus } from '../../../src/mesos/types.ts';
import { freePorts } from '../../support/free-ports.ts';
import { WITH_PORTS } from '../support/busybox-image.ts';
import { executorBench } from '../support/executor-bench.ts';
import { taskOf } from '../support/executor-process.ts';

const bench = executorBench();
const NETWORK = `mesosup-checks-${process.pid}`;
const PARTNER = `${NETWORK}-partner`;

beforeAll(async () => {
  await execa('docker', ['network', 'create', NETWORK]);
});
afterAll(async () => {
  await execa('docker', ['rm', '-f', PARTNER], { reject: false });
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
});

const QUICK = {
  delay_seconds: 0,
  interval_seconds: 0.2,
  grace_period_seconds: 0,
  consecutive_failures: 1000,
};
/** Serves on port 8080 as soon as the file exists. */
const SERVE = 'while [ ! -e /tmp/go ]; do sleep 0.1; done; exec httpd -f -p 8080 -h /tmp';

const http = { type: 'HTTP', http: { port: 8080, statuses: [404] }, ...QUICK } satisfies HealthCheck;
const tcp = { type: 'TCP', tcp: { port: 8080 }, ...QUICK } satisfies HealthCheck;

function healthUpdate(taskId: string, healthy: boolean): Promise<TaskStatus> {
  return bench.agent.until(() =>
    bench.agent.updates.find((u) => u.task_id.value === taskId && u.healthy === healthy),
  );
}

test.each([
  ['a user network', ['--network', NETWORK], http],
  ['a user network', ['--network', NETWORK], tcp],
  ['the bridge', [], http],
  ['no network', ['--network', 'none'], http],
  ['no network', ['--network', 'none'], tcp],
] as const)('see whether anything listens in a container in %s', async (_name, options, check) => {
  const { agent } = bench;
  await bench.start();
  // A port of the host that is published to another port of the container.
  const [port = 0] = await freePorts(1);
  const ports: [number, number][] = options.includes('none' as never) ? [] : [[port, port]];
  agent.launch(taskOf('c', SERVE, { image: WITH_PORTS, ports, options: [...options], health_check: check }));
  const sick = await healthUpdate('c', false);
  expect(sick.message).toMatch(/health check failed: connection refused/);
  const { stdout } = await execa('docker', [
    'ps',
    '-q',
    '--filter',
    `label=mesosup.cluster=${bench.cluster}`,
  ]);
  await execa('docker', ['exec', stdout, '/bin/sh', '-c', 'echo > /tmp/go']);
  await healthUpdate('c', true);
});

test('are made in the network of another container, if the task is there', async () => {
  const { agent } = bench;
  await bench.start();
  await execa('docker', ['run', '-d', '--name', PARTNER, '--network', NETWORK, WITH_PORTS, 'sleep', '600']);
  const script = 'httpd -f -p 127.0.0.1:8080 -h /tmp';
  agent.launch(taskOf('p', script, { options: ['--network', `container:${PARTNER}`], health_check: http }));
  await healthUpdate('p', true);
});
