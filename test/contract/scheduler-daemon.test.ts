/** The daemon as a process that is killed and restarted, with a master and an agent in the test process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startAgent } from '../../src/embedded/start-agent.ts';
import { startMaster } from '../../src/embedded/start-master.ts';

const MAIN = join(import.meta.dirname, '../../src/scheduler/main.ts');
const WITHIN = { timeout: 20_000, interval: 20 };
/** Processes start slowly on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daemon-'));
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await rm(directory, { recursive: true, force: true });
});

interface Program {
  child: ChildProcess;
  said: string[];
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit') as Program['ended'];
  const said: string[] = [];
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  cleanUps.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said, ended };
}

function daemon(master: string, ...more: string[]): Program {
  const data = join(directory, 'data');
  const user = userInfo().username;
  return start('--master', master, '--http_port', '0', '--data_dir', data, '--mesos_user', user, ...more);
}

/** Waits until it listens. */
function urlOf({ said }: Program): Promise<string> {
  return vi.waitFor(() => {
    const url = /listening on (http:[^"]+)/.exec(said.join('\n'))?.[1];
    if (url === undefined) throw new Error(`it does not listen yet: ${said.join('\n')}`);
    return url;
  }, WITHIN);
}

async function post(url: string, path: string, body: unknown): Promise<number> {
  const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
  await response.arrayBuffer();
  return response.status;
}

async function read(url: string, path: string): Promise<string> {
  return (await fetch(url + path)).text();
}

it('accepts apps before it has found a master, keeps them, and exits quickly on SIGTERM', async () => {
  const first = daemon('127.0.0.1:1');
  const url = await urlOf(first);
  expect(await post(url, '/v1/apps/start', { id: 'x', cmd: 'y', instances: 1 })).toBe(204);
  expect(await read(url, '/v2/queue')).toContain('not subscribed to a Mesos master');
  const other = daemon('127.0.0.1:1');
  expect(await other.ended).toEqual([1, null]);
  expect(other.said.join()).toContain(`is in use by process ${first.child.pid}`);
  const taken = start(
    '--master',
    'm',
    '--data_dir',
    join(directory, 'other'),
    '--http_port',
    new URL(url).port,
  );
  expect(await taken.ended).toEqual([1, null]);
  expect(taken.said.join()).toContain('is in use by another program');
  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual([0, null]);
  expect(await readdir(join(directory, 'data'))).toEqual(['journal.00000001']);
  const second = daemon('127.0.0.1:1');
  expect(JSON.parse(await read(await urlOf(second), '/v1/apps'))).toMatchObject([{ id: 'x', instances: 1 }]);
});

it('refuses unknown flags', async () => {
  const program = start('--nonsense');
  expect(await program.ended).toEqual([2, null]);
  expect(program.said.join()).toContain("Unknown option '--nonsense'");
});

it('checks flags and files beside a running scheduler, without starting', async () => {
  const first = daemon('127.0.0.1:1');
  const { port } = new URL(await urlOf(first));
  const tokens = join(directory, 'tokens');
  await writeFile(tokens, '0123456789abcdef\n');
  const data = join(directory, 'never');
  const check = (...more: string[]) =>
    start('--check', '--master', 'm', '--data_dir', data, '--http_port', port, ...more);
  const sound = check('--http_tokens_file', tokens);
  expect(await sound.ended).toEqual([0, null]);
  expect(sound.said).toEqual([]);
  const cert = ['--https_port', '0', '--ssl_cert_file', tokens, '--ssl_key_file', tokens];
  const wrong: [string[], number, RegExp][] = [
    [['--http_tokens_file', '/none'], 2, /^--http_tokens_file can't be read: ENOENT.*\/none/],
    [['--nonsense'], 2, /^Unknown option '--nonsense'/],
    [cert, 1, /^--ssl_cert_file and --ssl_key_file are not a certificate and its key/],
  ];
  for (const [flags, code, message] of wrong) {
    const refused = check(...flags);
    expect(await refused.ended).toEqual([code, null]);
    expect(refused.said).toEqual([expect.stringMatching(message)]);
  }
  expect(await readdir(directory)).not.toContain('never');
});

it('neither loses nor duplicates tasks when it is killed', async () => {
  const master = await startMaster({ port: 0 });
  cleanUps.push(() => master.stop());
  const agent = await startAgent({
    master: master.address,
    port: 0,
    workDir: join(directory, 'agent'),
    hostname: '127.0.0.1',
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 2 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 1000 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_009 }] } },
    ],
  });
  cleanUps.push(() => agent.stop());
  const running = async (url: string) => (await read(url, '/v1/endpoints')).split('127.0.0.1:').length - 1;

  let program = daemon(master.address, '--reconciliation_initial_delay', '100');
  let url = await urlOf(program);
  expect(
    await post(url, '/v1/apps/start', { id: 'x', cmd: 'sleep 600', instances: 2, cpus: 0.1, mem: 32 }),
  ).toBe(204);
  await vi.waitFor(async () => expect(await running(url)).toBe(2), WITHIN);
  const before = await read(url, '/v1/tasks');

  program.child.kill('SIGKILL');
  await program.ended;
  program = daemon(master.address, '--reconciliation_initial_delay', '100');
  url = await urlOf(program);
  expect(await running(url)).toBe(2);
  const reconciled = async () => JSON.parse(await read(url, '/metrics')).gauges;
  await vi.waitFor(
    async () =>
      expect(await reconciled()).toMatchObject({
        'mesosup.connected': { value: 1 },
        'mesosup.tasks.unanswered': { value: 0 },
      }),
    WITHIN,
  );
  expect(await read(url, '/v1/tasks')).toBe(before);

  expect(await post(url, '/v1/apps/stop', { id: 'x' })).toBe(204);
  expect(await read(url, '/v1/endpoints')).toBe('');
  await vi.waitFor(async () => expect((await reconciled())['mesosup.tasks']).toEqual({ value: 0 }), WITHIN);
  // The master removes a task after the acknowledgement of its last update, slightly later than the scheduler.
  const known = async () => JSON.parse(await (await fetch(`${master.url}/state`)).text()).frameworks[0].tasks;
  await vi.waitFor(async () => expect(await known()).toEqual([]), WITHIN);
});
