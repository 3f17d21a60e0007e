/** The commands of the 2013 page from the README, typed against a running demo. */
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docCommand } from '../support/docs.ts';
import { endpoints, mesosup, root, state, steady, typed, until } from './demo-cluster.ts';

let api: string;

beforeAll(async () => {
  const { exitCode, all } = await here(docCommand('README.md', './bin/bootstrap.sh demo --detach'));
  expect(exitCode, all).toBe(0);
  api = (await state()).schedulerUrl.replace('127.0.0.1', 'localhost');
});
afterAll(async () => {
  const { all } = await here(docCommand('README.md', './bin/mesosup demo down'));
  expect(all).toContain('The demo is down');
});

/** Runs a command in the checkout. */
function here(command: string) {
  return execa('sh', ['-c', command], { cwd: root, stdin: 'ignore', reject: false, all: true });
}

/** The command with the scheduler's actual port, because 8080 may be in use. */
const atApi = (command: string) => command.replace('http://localhost:8080', api);

test('answers http POST /v1/apps/start with 204, and lists both instances in /v1/endpoints', async () => {
  // The demo has already started multidis, so it has to be stopped before the call of the page.
  await typed(
    atApi(docCommand('README.md', 'http POST http://localhost:8080/v1/apps/stop')).replace(
      'http ',
      'http --ignore-stdin ',
    ),
  );
  await until('multidis is gone', async () => (await endpoints()).length === 0);
  const start = docCommand('README.md', 'http POST http://localhost:8080/v1/apps/start');
  const started = await typed(atApi(start));
  expect(started).toMatch(/^HTTP\/1\.1 204 No Content$/m);
  expect(started).toMatch(/^Content-Type: application\/json$/im);
  await steady();

  const listed = await typed(atApi(docCommand('README.md', 'http GET')));
  expect(listed).toMatch(/^HTTP\/1\.1 200 OK$/m);
  expect(listed).toMatch(/^Content-Type: text\/plain/im);
  expect(listed).toMatch(/^Transfer-Encoding: chunked$/im);
  const lines = listed.split('\n').filter((line) => line.startsWith('multidis'));
  expect(lines).toHaveLength(1);
  const match = /^multidis (\d+) [\d.]+:31\d\d\d [\d.]+:31\d\d\d ?$/.exec(lines[0] ?? '');
  expect(match, lines[0]).not.toBeNull();
  expect(Number(match?.[1])).toBeGreaterThanOrEqual(10_000);
  expect(Number(match?.[1])).toBeLessThan(20_000);
});

test('answers SET x 7 with OK and GET x with "7" in docker run -i -t … redis-cli', async () => {
  const [{ host, port } = { host: '', port: 0 }] = await endpoints();
  const prompt = `${host}:${port}> `;
  const command = docCommand('README.md', 'docker run')
    .replace('docker run', 'docker run --rm')
    .replace('-h 172.17.0.1 -p 31000', `-h ${host} -p ${port}`);
  const shown = await typed(command, [
    { prompt, answer: 'SET x 7\r' },
    { prompt: 'OK', answer: '' },
    { prompt, answer: 'GET x\r' },
    { prompt: '"7"', answer: '' },
    { prompt, answer: 'QUIT\r' },
  ]);
  expect(shown).toMatch(/SET x 7\nOK\n/);
  expect(shown).toMatch(/GET x\n"7"\n/);
});

test('shows apps, tasks and agents with demo status', async () => {
  const { exitCode, all } = await here(docCommand('README.md', './bin/mesosup demo status'));
  expect(exitCode, all).toBe(0);
  expect(all).toMatch(/APP +INSTANCES +RUNNING\nmultidis +2 +2\n/);
  const { stdout } = await mesosup('demo', 'status', '--json');
  const status = JSON.parse(stdout) as { up: boolean; tasks: unknown[]; agents: unknown[] };
  expect(status.up).toBe(true);
  expect([status.tasks.length, status.agents.length]).toEqual([2, 2]);
});

test('creates, shows and explains an app with the v2 commands of the docs', async () => {
  const v2 = (command: string) =>
    here(command.replace('http :8080', `http --ignore-stdin --check-status ${api}`));
  const created = await v2(docCommand('docs/scheduler-api.md', 'http :8080/v2/apps id=/sleeper'));
  expect(created.exitCode, created.all).toBe(0);
  expect(JSON.parse(created.stdout)).toMatchObject({ id: '/sleeper', cmd: 'sleep 600', instances: 2 });
  const running = async () => {
    const { stdout } = await v2(docCommand('docs/scheduler-api.md', 'http :8080/v2/apps/sleeper'));
    return (JSON.parse(stdout) as { app: { tasksRunning: number } }).app.tasksRunning === 2;
  };
  await until('both tasks of /sleeper run', running);
  const explained = await v2(docCommand('docs/scheduler-api.md', 'http :8080/v2/apps/sleeper/explain'));
  expect(explained.exitCode, explained.all).toBe(0);
  expect(explained.stdout).toContain('/sleeper');
  const deleted = await here(`http --ignore-stdin --check-status DELETE ${api}/v2/apps/sleeper`);
  expect(deleted.exitCode, deleted.all).toBe(0);
});

test('refuses a second demo with the remedy', async () => {
  const { exitCode, stderr, stdout } = await mesosup('demo', '--once');
  expect(exitCode).toBe(1);
  expect(stderr + stdout).toContain('mesosup demo down');
  await steady();
});
