import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../../test/lb/snapshots.ts';
import { freePorts } from '../../../test/support/free-ports.ts';
import { createLbMetrics } from '../metrics.ts';
import { type LbValues, readOptions } from '../options.ts';
import { Balancer } from './balancer.ts';
import { type Haproxy, RefusedError } from './haproxy.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Stands in for haproxy's process: failures like these can't be caused at will in a real one. */
function fakeHaproxy() {
  return {
    socket: '/run/haproxy.sock',
    configuration: '/run/haproxy.cfg',
    refusal: undefined as string | undefined,
    canWrite: true,
    loaded: [] as string[],
    commands: [] as string[],
    running: true,
    async isRunning() {
      return this.running;
    },
    async isConfigured() {
      return true;
    },
    async load() {
      this.running = true;
    },
    async write() {
      if (!this.canWrite) throw new Error('ENOSPC');
    },
    async replace(text: string) {
      if (this.refusal !== undefined) throw new RefusedError(this.refusal);
      this.loaded.push(text);
    },
    async send(commands: readonly string[]) {
      this.commands.push(...commands);
      return '';
    },
    trimmed: 0,
    async trimLog() {
      this.trimmed += 1;
    },
  };
}

function balancer(haproxy: ReturnType<typeof fakeHaproxy>, values: LbValues = {}): Balancer {
  const options = readOptions({ 'data-dir': directory, 'reload-interval-ms': '0', ...values });
  return new Balancer(options, haproxy as unknown as Haproxy, createLbMetrics(), pino({ level: 'silent' }));
}

it('removes ended tasks also while haproxy refuses the configuration', async () => {
  const [port = 0, other = 0] = await freePorts(2);
  const haproxy = fakeHaproxy();
  const one = balancer(haproxy);
  one.take(snapshotOf([balancedApp('/web', port, [31_001, 31_002])]), 0);
  await one.apply(0);
  haproxy.refusal = '[ALERT] (1) : not enough memory';
  one.take(snapshotOf([balancedApp('/web', port, [31_002]), balancedApp('/new', other, [31_003])]), 1);
  await expect(one.apply(1)).rejects.toThrow('not enough memory');
  expect(haproxy.commands).toEqual(['set server 0_web/s1 state maint']);
});

it('leaves out only the port that haproxy can not use, and tries it again', async () => {
  const [port = 0, other = 0] = await freePorts(2);
  const haproxy = fakeHaproxy();
  const one = balancer(haproxy);
  const ports = [port, other].map((servicePort) => ({ servicePort, protocol: 'tcp' }));
  const tasks = [{ id: 't', state: 'ready' as const, addresses: ['127.0.0.1:31001', '127.0.0.1:31002'] }];
  one.take(snapshotOf([balancedApp('/web', port, [], { ports, tasks })]), 0);
  const replace = haproxy.replace.bind(haproxy);
  haproxy.replace = async (text) => {
    if (!text.includes(`frontend port-${port}\n`)) return replace(text);
    const line = text.split('\n').indexOf(`  bind :${port}`) + 1;
    throw new RefusedError(
      `[ALERT]    (1) : Binding [/d/haproxy.cfg:${line}] for frontend port-${port}: cannot bind socket (Address already in use) for [0.0.0.0:${port}]`,
    );
  };
  await one.apply(0);
  expect(haproxy.loaded[0]).toContain(`frontend port-${other}\n`);
  haproxy.replace = replace;
  await one.apply(60_000);
  expect(haproxy.loaded[1]).toContain(`frontend port-${port}\n`);
});

it('configures haproxy anew after it was started with servers that are out of date', async () => {
  const [port = 0] = await freePorts(1);
  const haproxy = fakeHaproxy();
  const one = balancer(haproxy);
  one.take(snapshotOf([balancedApp('/web', port, [31_001])]), 0);
  await one.apply(0);
  haproxy.canWrite = false;
  one.take(snapshotOf([balancedApp('/web', port, [31_002])]), 1);
  await one.apply(1);
  // Each change adds to its log.
  expect(haproxy.trimmed).toBe(2);
  haproxy.running = false;
  await one.revive();
  await one.apply(2);
  expect(haproxy.loaded).toHaveLength(2);
  expect(haproxy.loaded[1]).toContain('127.0.0.1:31002');
});

it('changes servers also while the directory of certificates can not be read', async () => {
  const [port = 0] = await freePorts(1);
  const haproxy = fakeHaproxy();
  const certificates = path.join(directory, 'certificates');
  await mkdir(certificates);
  const one = balancer(haproxy, { 'certificate-dir': certificates });
  one.take(snapshotOf([balancedApp('/web', port, [31_001])]), 0);
  await one.apply(0);
  await rm(certificates, { recursive: true });
  one.take(snapshotOf([balancedApp('/web', port, [])]), 1);
  await one.apply(1);
  expect(haproxy.commands).toEqual(['set server 0_web/s1 state maint']);
});

it('keeps all apps if a template of the operator is refused, and takes back an app with a corrected one', async () => {
  const [port = 0] = await freePorts(1);
  const haproxy = fakeHaproxy();
  const templates = path.join(directory, 'templates');
  await mkdir(templates);
  const one = balancer(haproxy, { 'template-dir': templates });
  const replace = haproxy.replace.bind(haproxy);
  haproxy.replace = async (text) => {
    const line = text.split('\n').indexOf('  wrong') + 1;
    if (line === 0) return replace(text);
    throw new RefusedError(
      `[ALERT]    (1) : config : parsing [/d/haproxy.cfg.new:${line}] : unknown keyword`,
    );
  };
  const tell = async (labels: Record<string, string>, at: number) => {
    one.take(
      snapshotOf([balancedApp('/web', port, [], { labels: { HAPROXY_0_MODE: 'http', ...labels } })]),
      at,
    );
    await one.apply(at);
  };
  await tell({}, 0);
  await writeFile(path.join(templates, 'HAPROXY_BACKEND_HTTP_OPTIONS'), ' wrong\n');
  await expect(tell({}, 1)).rejects.toThrow('keeps the last one');
  await rm(path.join(templates, 'HAPROXY_BACKEND_HTTP_OPTIONS'));

  const named = { HAPROXY_0_BACKEND_HTTP_OPTIONS: 'own' };
  await writeFile(path.join(templates, 'own'), 'wrong');
  await tell(named, 2);
  expect(haproxy.loaded.at(-1)).not.toContain('backend 0_web');
  await writeFile(path.join(templates, 'own'), 'option forwardfor');
  await tell(named, 3);
  expect(haproxy.loaded.at(-1)).toContain('backend 0_web');
});

it('asks to be called again while the address of a host is not known', async () => {
  const [port = 0] = await freePorts(1);
  const one = balancer(fakeHaproxy());
  // A label of a name has at most 63 letters: no name server is asked.
  const tasks = [{ id: 't', state: 'ready' as const, addresses: [`${'a'.repeat(64)}.invalid:31001`] }];
  one.take(snapshotOf([balancedApp('/web', port, [], { tasks })]), 0);
  expect(await one.apply(0)).toBeGreaterThan(0);
});
