/** The demo with the load balancer: the example of 2013 goes on at the service port. */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { DEFAULT_IMAGE } from '../../src/demo/image.ts';
import { portsInUse } from '../../src/demo/ports.ts';
import { dir, mesosup, state, until } from './demo-cluster.ts';

afterAll(() => mesosup('demo', 'down'));

/** The service port of multidis. */
async function servicePort(): Promise<string> {
  const { schedulerUrl } = await state();
  const text = await (await fetch(`${schedulerUrl}/v1/endpoints`)).text();
  return /^multidis (\d+) /.exec(text)?.[1] ?? '';
}

test('answers at the service port, also while an instance is replaced, and leaves no haproxy behind', async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--detach', '--lb');
  expect(exitCode, stdout + stderr).toBe(0);
  const port = await servicePort();
  expect(stdout).toContain(`redis-cli -p ${port} GET x`);
  // redis-cli of the demo's image, as of this host.
  const client = ['run', '--rm', '--network', 'host', DEFAULT_IMAGE, 'redis-cli', '-p', port];
  const get = async () => (await execa('docker', [...client, 'GET', 'x'])).stdout;
  for (let i = 0; i < 4; i += 1) expect(await get()).toBe('7');
  const { schedulerUrl } = await state();
  const { tasks } = (await (await fetch(`${schedulerUrl}/v2/tasks`)).json()) as { tasks: { id: string }[] };
  await fetch(`${schedulerUrl}/v1/tasks/kill?appId=multidis&id=${tasks[0]?.id}`, { method: 'POST' });
  // The remaining instance answers; the new one has no x. Redis ends at once, so a request may meet its end.
  for (let i = 0; i < 2; i += 1) {
    await until('an instance answers', async () => ['7', ''].includes(await get()));
  }
  await mesosup('demo', 'down');
  expect(existsSync(dir)).toBe(false);
  expect((await portsInUse()).has(Number(port))).toBe(false);
});
