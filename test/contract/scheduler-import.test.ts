/** Imports an answer of Marathon into a scheduler that runs the apps on a real cluster. */

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { docCommand } from '../support/docs.ts';
import { askJson, Programs } from './support/programs.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const MESOSUP = path.resolve(import.meta.dirname, '../../bin/mesosup');
const GROUPS = path.resolve(import.meta.dirname, '../fixtures/marathon/groups.json');
const WITHIN = { timeout: 30_000, interval: 100 };
const CREDENTIAL = { principal: 'me', secret: 'the password' };

let programs: Programs;
let scheduler: SchedulerProcess;
let url: string;
let api: string;

beforeAll(async () => {
  programs = new Programs();
  const master = (await programs.master()).address;
  await programs.agent(master);
  api = programs.secret('api', 'me:the password\n');
  scheduler = startScheduler(
    ...['--master', master, '--data_dir', path.join(programs.directory, 'state')],
    ...['--http_credentials_file', api],
  );
  url = await scheduler.url();
});

afterAll(async () => {
  await scheduler?.kill();
  await programs?.[Symbol.asyncDispose]();
});

function imported(...args: string[]) {
  const access = ['--url', url, '--credentials-file', api];
  return execa(MESOSUP, ['scheduler', 'import', ...args, ...access], { reject: false, stdin: 'ignore' });
}

interface Apps {
  apps: { id: string; version: string; instances: number; tasksRunning: number; deployments: unknown[] }[];
}

async function apps(): Promise<Apps['apps']> {
  return (await askJson<Apps>(new URL(url).host, '/v2/apps', CREDENTIAL)).apps;
}

/** @returns the data that any change of an app would modify */
async function versions(): Promise<Record<string, string>> {
  return Object.fromEntries((await apps()).map(({ id, version }) => [id, version]));
}

async function file(name: string, content: unknown): Promise<string> {
  const at = path.join(programs.directory, name);
  await writeFile(at, typeof content === 'string' ? content : JSON.stringify(content));
  return at;
}

it('a dry run shows the plan, and changes nothing', async () => {
  const { exitCode, stdout, stderr } = await imported(GROUPS, '--dry-run');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    '  /sleeper: is created; instances: 2',
    '  /shop/db/main: is created; instances: 1',
    '  /shop/web/front: is created; instances: 1',
    '  /shop/web/image: is created; instances: 0',
    'Nothing was changed. Run again without --dry-run to import.',
  ]);
  expect(await apps()).toEqual([]);
});

it('an import starts the apps in the order of their dependencies, and keeps other apps', async () => {
  const own = await file('own.json', [{ id: '/own', cmd: 'exec sleep 100400', cpus: 0.1, mem: 16 }]);
  expect((await imported(own)).exitCode).toBe(0);
  const { exitCode, stdout } = await imported(GROUPS, '--json');
  expect(exitCode).toBe(0);
  const { deploymentId, ...report } = JSON.parse(stdout);
  expect(report).toMatchObject({ imported: true, problems: [], unsupported: [] });
  expect(report.apps[0]).toEqual({ id: '/sleeper', change: 'create', instances: 2 });
  expect(deploymentId).toMatch(/^[0-9a-f-]{36}$/);
  const running = {
    '/own': 1,
    '/shop/db/main': 1,
    '/shop/web/front': 1,
    '/shop/web/image': 0,
    '/sleeper': 2,
  };
  await vi.waitFor(async () => {
    const found = await apps();
    expect(Object.fromEntries(found.map(({ id, tasksRunning }) => [id, tasksRunning]))).toEqual(running);
    expect(found.flatMap(({ deployments }) => deployments)).toEqual([]);
  }, WITHIN);
  const launched = scheduler.said.flatMap(
    (line) => /"app":"([^"]+)".*"msg":"task launched"/.exec(line)?.[1] ?? [],
  );
  expect(launched.indexOf('/shop/web/front')).toBeGreaterThan(launched.indexOf('/shop/db/main'));
});

it('a second import changes only what differs', async () => {
  const before = await versions();
  const again = await imported(GROUPS, '--json');
  expect(JSON.parse(again.stdout).apps.map(({ change }: { change: string }) => change)).toEqual(
    Array(4).fill('keep'),
  );
  expect(await versions()).toEqual(before);

  const groups = JSON.parse(await readFile(GROUPS, 'utf8'));
  groups.apps[0].instances = 1;
  groups.groups[0].groups[0].apps[0].env.MODE = 'primary';
  const { exitCode, stdout } = await imported(await file('changed.json', groups));
  expect(exitCode).toBe(0);
  expect(stdout).toContain('/sleeper: is scaled; instances: 1\n');
  expect(stdout).toContain('/shop/db/main: is changed; its tasks are replaced; instances: 1\n');
  expect(stdout).toContain('/shop/web/front: is unchanged; instances: 1\n');
  expect(stdout).toMatch(/Imported by deployment [0-9a-f-]{36}\. Its progress: http:\/\/127/);
  const after = Object.entries(await versions());
  const changed = after.flatMap(([id, version]) => (before[id] === version ? [] : id));
  expect(changed.sort()).toEqual(['/shop/db/main', '/sleeper']);
});

it('reports all problems by app and field, including those that only the scheduler detects', async () => {
  const before = await versions();
  const faulty = [
    { id: '/a', cmd: 'x', cpus: 0 },
    { id: '/b', cmd: 'x', instances: 'many' },
    { id: '/c', cmd: 'x', secrets: { pw: { source: 'x' } } },
  ];
  const first = await imported(await file('faulty.json', { apps: faulty }));
  expect(first.exitCode).toBe(1);
  expect(first.stdout).toBe('Nothing was changed.');
  expect(first.stderr.split('\n')).toEqual([
    'Fix 2 problems in the file:',
    '  /a: cpus must be at least 0.001',
    '  /b: instances must be a whole number',
    'Not supported. Add --leave-out to import without this:',
    '  /c: secrets are not supported: put the value into env, or fetch a file',
  ]);
  const idle = [{ id: '/d' }, { id: '/e', cmd: 'x' }, { id: '/f', cmd: 'x', role: 'other' }];
  const second = await imported(await file('idle.json', { apps: idle }), '--json');
  expect(second.exitCode).toBe(1);
  expect(JSON.parse(second.stdout)).toMatchObject({
    imported: false,
    problems: [
      { id: '/d', field: 'cmd', why: 'may not be empty' },
      { id: '/f', field: 'role' },
    ],
  });
  expect(await versions()).toEqual(before);
});

it('leaves unsupported fields out only with --leave-out', async () => {
  const before = await versions();
  const lossy = await file('lossy.json', [
    { id: '/lossy', cmd: 'exec sleep 100400', cpus: 0.1, mem: 16, env: { PW: { secret: 'pw' } }, more: 1 },
  ]);
  const refused = await imported(lossy);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('/lossy: env.PW.secret is not supported: set the value');
  expect(await versions()).toEqual(before);
  const done = await imported(lossy, '--leave-out');
  expect(done.exitCode).toBe(0);
  expect(done.stderr).toContain('Not supported, so the import leaves this out:');
  expect(done.stderr).toContain(
    'Accepted, but without effect:\n  /lossy: more is not a known field, and has no effect',
  );
  expect((await apps()).map(({ id }) => id)).toContain('/lossy');
});

it('reports wrong usage with the remedy', async () => {
  const wrong = programs.secret('wrong', 'me:x');
  const closed = 'http://127.0.0.1:1';
  const cases: [number, RegExp, ...string[]][] = [
    [1, /missing or wrong\n→ Set --credentials-file/, GROUPS, '--url', url, '--credentials-file', wrong],
    [1, /\n→ Set --credentials-file/, GROUPS, '--url', url],
    [1, /no scheduler answers at http:\/\/127\.0\.0\.1:1: .*\n→ .*--url/, GROUPS, '--url', closed],
    [2, /which would be visible in the process list/, GROUPS, '--url', 'http://me:x@127.0.0.1:1'],
    [2, /a URL such as http/, GROUPS, '--url', 'nowhere'],
    [2, /can't be read: there is no such file/, 'nothing.json', '--url', url],
    [2, /is not JSON/, await file('text.json', 'hello'), '--url', url],
    [2, /not an answer to GET/, await file('message.json', { message: 'no' }), '--url', url],
    [2, /has no apps/, await file('none.json', { apps: [] }), '--url', url],
    [2, /USER:PASSWORD/, GROUPS, '--url', url, '--credentials-file', programs.secret('odd', 'x')],
  ];
  for (const [code, says, ...args] of cases) {
    const { exitCode, stderr } = await execa(MESOSUP, ['scheduler', 'import', ...args], { reject: false });
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(code);
  }
});

it('imports into the cluster of a context, by default the one in use', async () => {
  const config = path.join(programs.directory, 'config');
  const env = { XDG_CONFIG_HOME: config, XDG_STATE_HOME: config };
  const run = (args: string[], input = '') => execa(MESOSUP, args, { reject: false, input, env, all: true });
  const added = await run(['context', 'add', 'here', url, '--user', 'me'], 'the password\n');
  expect(added.exitCode, added.all).toBe(0);
  for (const context of [[], ['--context', 'here']]) {
    const { exitCode, stdout } = await run(['scheduler', 'import', GROUPS, ...context]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('mesosup app deployments watch ')]);
  }
  const both = await run(['scheduler', 'import', GROUPS, '--context', 'here', '--url', url]);
  expect([both.exitCode, both.all]).toEqual([2, expect.stringContaining('--context')]);
});

it('the documented command uses the scheduler of this host', async () => {
  const shell = { shell: true, cwd: programs.directory, reject: false } as const;
  const none = path.join(programs.directory, 'none');
  const env = {
    ...{ PATH: `${path.dirname(MESOSUP)}:${process.env.PATH}`, XDG_CONFIG_HOME: none, XDG_STATE_HOME: none },
  };
  await file('groups.json', await readFile(GROUPS, 'utf8'));
  const ran = await execa(docCommand('docs/operations.md', 'mesosup scheduler import'), { ...shell, env });
  // Depends on whether a scheduler listens at the default port.
  expect(ran.stderr + ran.stdout).toMatch(
    /no scheduler answers at http:\/\/127\.0\.0\.1:8080|is created|401/,
  );
});
