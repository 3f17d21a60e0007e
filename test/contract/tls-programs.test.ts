/** The exporter and the load balancer with TLS: their own ports, and their connections to Mesos and the scheduler. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { TlsFiles, TlsMode } from '../../src/tls/settings.ts';
import { freePorts } from '../support/free-ports.ts';
import { createTestCa, type Issuing, type TestCa } from '../support/test-ca.ts';
import { askByTls, mesosTls } from './support/ask-tls.ts';
import { describeEmbedded, type Embedded, startEmbedded, stopEmbedded } from './support/embedded.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 30_000, interval: 100 };
const directory = mkdtempSync(path.join(tmpdir(), 'tls-programs-'));
const root = path.resolve(import.meta.dirname, '../..');
const children: ChildProcess[] = [];
let ca: TestCa;
let mesos: Embedded;
let scheduler: SchedulerProcess;
let own: Required<TlsFiles>;

const issue = (name: string, issuing: Issuing = {}) => ({ ca: ca.file, ...ca.issue(name, issuing) });

beforeAll(async () => {
  ca = createTestCa(directory);
  own = issue('program');
  mesos = await describeEmbedded(path.join(directory, 'mesos'));
  mesos.environment = mesosTls(issue('master'));
  await startEmbedded(mesos, 'master');
  const { cert, key, ca: caFile } = issue('scheduler');
  scheduler = startScheduler(
    ...['--master', mesos.master, '--data_dir', path.join(directory, 'scheduler'), '--mesos_ssl', 'required'],
    ...['--disable_http', '--https_port', '0', '--ssl_cert_file', cert, '--ssl_key_file', key],
    ...['--ssl_ca_file', caFile],
  );
  await scheduler.url();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(async () => {
  await scheduler?.kill();
  if (mesos) await stopEmbedded(mesos);
  await rm(directory, { recursive: true, force: true });
});

function start(main: string, flags: Readonly<Record<string, string>>): string[] {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [path.join(root, main), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  return log;
}

const tlsFlags = (mode: TlsMode, { ca: caFile, cert, key }: Required<TlsFiles>) => ({
  tls: mode,
  'ca-file': caFile,
  'cert-file': cert,
  'key-file': key,
});

async function exporter(files: Required<TlsFiles>, mode: TlsMode = 'required') {
  const [port = 0] = await freePorts(1);
  const log = start('src/monitoring/main.ts', {
    master: `http://${mesos.master}`,
    listen: `127.0.0.1:${port}`,
    ...tlsFlags(mode, files),
  });
  await vi.waitFor(() => expect(log.join('\n')).toContain('listening on'), WITHIN);
  return { log, address: `127.0.0.1:${port}` };
}

const people = () => ({ ca: ca.file });

it('exports metrics of a master over TLS, and takes plain text only while it prefers TLS', async () => {
  const strict = await exporter(own);
  expect((await askByTls(`https://${strict.address}/metrics`, people())).text).toMatch(
    /^mesos_up\{component="master",endpoint="\/metrics\/snapshot"\} 1$/m,
  );
  const refused = await fetch(`http://${strict.address}/metrics`);
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringMatching(/^This port accepts only TLS/),
  ]);
  const open = await exporter(own, 'preferred');
  expect(await (await fetch(`http://${open.address}/metrics`)).text()).toMatch(/^mesos_up\{.* 1$/m);
  expect((await askByTls(`https://${open.address}/metrics`, people())).status).toBe(200);
});

it('says why Mesos refuses the certificate of the exporter, and reads a renewed one', async () => {
  const files = issue('late', { fromDays: -9, untilDays: -2 });
  const { address, log } = await exporter(files);
  const ask = async () => (await askByTls(`https://${address}/metrics`, people())).text;
  await expect(ask()).rejects.toThrow(/expired/);
  const asked = request(address);
  expect(await asked).toMatch(/^mesos_up\{.* 0$/m);
  expect(log.join('\n')).toMatch(/answered 403/);
  const next = issue('next');
  renameSync(next.key, files.key);
  renameSync(next.cert, files.cert);
  expect(await ask()).toMatch(/^mesos_up\{.* 1$/m);
});

/** Asks without a look at the certificate. */
async function request(address: string): Promise<string> {
  const { request: send } = await import('node:https');
  const outgoing = send(`https://${address}/metrics`, { rejectUnauthorized: false, agent: false }).end();
  const [answer] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return text;
}

it.each<TlsMode>(['preferred', 'required'])(
  'balances apps of schedulers with TLS, with statistics and metrics by TLS: %s',
  async (mode) => {
    const [stats, metrics, http, https] = await freePorts(4);
    const data = path.join(directory, `lb-${mode}`);
    const log = start('src/lb/main.ts', {
      url: (await scheduler.url()).replace(/^https/, 'http'),
      stats: `127.0.0.1:${stats}`,
      metrics: `127.0.0.1:${metrics}`,
      'http-port': `${http}`,
      'https-port': `${https}`,
      'data-dir': data,
      ...tlsFlags(mode, own),
    });
    try {
      await vi.waitFor(async () => {
        const { text } = await askByTls(`https://127.0.0.1:${metrics}/metrics`, people());
        expect(text, log.join('\n')).toMatch(/^mesosup_lb_haproxy_up 1$/m);
      }, WITHIN);
      const byTls = await askByTls(`https://127.0.0.1:${stats}/metrics`, people());
      expect([byTls.status, byTls.subject]).toEqual([200, 'CN=program']);
      expect(statSync(path.join(data, 'statistics.pem')).mode & 0o777).toBe(0o600);
      const plain = (port = 0) =>
        fetch(`http://127.0.0.1:${port}/metrics`).then(
          ({ status }) => status,
          () => 0,
        );
      // haproxy itself closes a connection without TLS.
      expect([await plain(stats), await plain(metrics)]).toEqual(
        mode === 'preferred' ? [200, 200] : [0, 400],
      );
      expect(log.join('\n')).not.toMatch(/does not answer with TLS/);
    } finally {
      const stopping = spawn(process.execPath, [
        path.join(root, 'src/lb/main.ts'),
        `--data-dir=${data}`,
        '--stop',
      ]);
      await once(stopping, 'exit');
    }
  },
);

it('names a scheduler whose certificate is not of the CA', async () => {
  const [stats, metrics] = await freePorts(2);
  const foreign = createTestCa(directory, 'foreign-ca');
  const log = start('src/lb/main.ts', {
    url: await scheduler.url(),
    stats: `127.0.0.1:${stats}`,
    metrics: `127.0.0.1:${metrics}`,
    'data-dir': path.join(directory, 'lb-foreign'),
    ...tlsFlags('required', { ...own, ca: foreign.file }),
  });
  const text =
    /127\.0\.0\.1:\d+ \(CN=scheduler, issued by CN=test-ca\) is not signed by a CA in .*certs trust/;
  await vi.waitFor(() => expect(log.join('\n')).toMatch(text), WITHIN);
});

it('imports into a scheduler with TLS, and reads a takeover from one and from masters with TLS', async () => {
  const at = await scheduler.url();
  const groups = path.join(root, 'test/fixtures/marathon/groups.json');
  const run = (...args: string[]) =>
    execa(path.join(root, 'bin/mesosup'), ['scheduler', ...args], { reject: false, stdin: 'ignore' });
  const trust = ['--ca-file', ca.file];
  const imported = await run('import', groups, '--dry-run', '--url', at, ...trust);
  expect([imported.exitCode, imported.stderr]).toEqual([0, '']);
  expect(imported.stdout).toContain('/sleeper: is created');
  expect((await run('import', groups, '--dry-run', '--url', at)).stderr).toMatch(
    /is not signed by a CA|--ca/,
  );

  const shown = ['--cert-file', own.cert, '--key-file', own.key];
  const data = ['--data-dir', path.join(directory, 'taken'), '--master', mesos.master, '--dry-run'];
  const taken = await run('takeover', at, ...data, ...trust, '--mesos-ssl', ...shown);
  expect([taken.exitCode, taken.stderr]).toEqual([0, expect.not.stringContaining('does not answer')]);
  const plain = await run('takeover', at, ...data, ...trust);
  expect(plain.stderr).toContain(`the Mesos master ${mesos.master} answered 400 to GET /state`);
});
