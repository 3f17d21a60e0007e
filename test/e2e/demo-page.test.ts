/** The calls of the 2013 page, typed as there, against a demo that is up. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpoints, mesosup, state, steady, typed, until } from './demo-cluster.ts';

let api: string;

beforeAll(async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--detach');
  expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
  api = (await state()).schedulerUrl.replace('127.0.0.1', 'localhost');
});
afterAll(async () => {
  expect((await mesosup('demo', 'down')).stdout).toContain('The demo is down');
});

test('http POST /v1/apps/start answers 204, and both instances appear in /v1/endpoints', async () => {
  // The demo has started multidis already, so the page's call needs it out of the way first.
  await typed(`http --ignore-stdin POST ${api}/v1/apps/stop id=multidis`);
  await until('multidis is gone', async () => (await endpoints()).length === 0);
  const started = await typed(
    `http POST ${api}/v1/apps/start \\
       id=multidis instances=2 mem=512 cpus=1 \\
       executor=/var/lib/mesos/executors/docker \\
       cmd='johncosta/redis'`,
  );
  expect(started).toMatch(/^HTTP\/1\.1 204 No Content$/m);
  expect(started).toMatch(/^Content-Type: application\/json$/im);
  await steady();

  const listed = await typed(`http GET ${api}/v1/endpoints`);
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

test('docker run -i -t … redis-cli: SET x 7 says OK, GET x says "7"', async () => {
  const [{ host, port } = { host: '', port: 0 }] = await endpoints();
  const prompt = `${host}:${port}> `;
  const shown = await typed(`docker run --rm -i -t johncosta/redis redis-cli -h ${host} -p ${port}`, [
    { prompt, answer: 'SET x 7\r' },
    { prompt: 'OK', answer: '' },
    { prompt, answer: 'GET x\r' },
    { prompt: '"7"', answer: '' },
    { prompt, answer: 'QUIT\r' },
  ]);
  expect(shown).toMatch(/SET x 7\nOK\n/);
  expect(shown).toMatch(/GET x\n"7"\n/);
});

test('a second demo is refused with the mend', async () => {
  const { exitCode, stderr, stdout } = await mesosup('demo', '--once');
  expect(exitCode).toBe(1);
  expect(stderr + stdout).toContain('mesosup demo down');
  await steady();
});
