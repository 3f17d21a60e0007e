import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import type { HealthCheck } from '../mesos/types.ts';
import type { Input } from './decide/inputs.ts';
import { Prober } from './prober.ts';

type Probed = Extract<Input, { type: 'probed' }>;

let reports: Probed[] = [];
let prober: Prober;
let server: Server;
let status = 503;

afterEach(() => {
  prober.stop();
  server.close();
});

/** Probes a server that answers with `status`. */
async function probing(more: Partial<HealthCheck>, { first = 503, isReadiness = false } = {}): Promise<void> {
  reports = [];
  status = first;
  server = createServer((_request, answer) => {
    answer.writeHead(status, { 'Content-Type': 'text/plain' }).end(`says ${status}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  prober = new Prober((one) => reports.push(one));
  const timing = { delay_seconds: 0, grace_period_seconds: 0, interval_seconds: 0.02, timeout_seconds: 5 };
  const check: HealthCheck = { type: 'HTTP', ...timing, http: { port, path: '/', statuses: [200] }, ...more };
  prober.take({
    probing: 't',
    probes: [{ check, host: '127.0.0.1', published: false, once: isReadiness, keepsResponse: isReadiness }],
  });
}

it('reports each success and each failure, and gives up after the last allowed failure', async () => {
  await probing({ consecutive_failures: 3 }, { first: 200 });
  await vi.waitFor(() => expect(reports.length).toBeGreaterThan(1));
  status = 503;
  await vi.waitFor(() => expect(reports.at(-1)).toHaveProperty('giveUp'));
  expect(reports[1]).toEqual({ type: 'probed', taskId: 't', probe: 0, healthy: true });
  expect(reports.slice(-5)).toMatchObject([
    { healthy: true },
    { healthy: false, why: 'HTTP 503' },
    { healthy: false, why: 'HTTP 503' },
    { healthy: false, why: 'HTTP 503' },
    { healthy: false, giveUp: 'its health check failed 4 times in a row: HTTP 503' },
  ]);
});

it('gives no task up with a limit of 0', async () => {
  await probing({ consecutive_failures: 0 });
  await vi.waitFor(() => expect(reports.length).toBeGreaterThan(5));
  expect(reports.filter(({ giveUp }) => giveUp !== undefined)).toEqual([]);
});

it('reports no failures in the grace period', async () => {
  await probing({ grace_period_seconds: 600 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(reports).toEqual([]);
  status = 200;
  await vi.waitFor(() => expect(reports).not.toEqual([]));
  expect(reports[0]).toEqual({ type: 'probed', taskId: 't', probe: 0, healthy: true });
});

it('reports every result of a readiness check with its response, until it passes', async () => {
  await probing({ consecutive_failures: 0, grace_period_seconds: 600 }, { isReadiness: true });
  await vi.waitFor(() => expect(reports.length).toBeGreaterThan(1));
  status = 200;
  await vi.waitFor(() => expect(reports.at(-1)?.healthy).toBe(true));
  const response = (code: number) => ({ status: code, contentType: 'text/plain', body: `says ${code}` });
  expect(reports[0]).toMatchObject({ healthy: false, why: 'HTTP 503', response: response(503) });
  expect(reports.at(-1)).toMatchObject({ healthy: true, response: response(200) });
  const { length } = reports;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(reports).toHaveLength(length);
});
