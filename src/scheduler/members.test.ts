import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { closing } from '../../test/scheduler/api-server.ts';
import { describeMaster, Members, urlsOf } from './members.ts';

const NOW = 1_700_000_000_000;

it('reads the version, the start and the duty of a master, as far as it tells them', () => {
  const metrics = { 'master/elected': 1, 'master/uptime_secs': 60.5 };
  expect(describeMaster({ version: '1.11.0' }, metrics, NOW)).toEqual({
    leads: true,
    version: '1.11.0',
    startedAt: '2023-11-14T22:12:19.500Z',
  });
  expect(describeMaster({ version: '1.11.0' }, { 'master/elected': 0 }, NOW)).toEqual({
    leads: false,
    version: '1.11.0',
  });
  for (const other of [undefined, null, [], 'x', { version: 1, 'master/elected': 'x' }])
    expect(describeMaster(other, other, NOW)).toEqual({});
});

it('asks every master, at most once in five seconds, and says which one does not answer', async () => {
  const asked: string[] = [];
  const http = createServer(({ url, headers }, answer) => {
    asked.push(`${url} ${headers.authorization?.split(' ')[0]}`);
    answer.statusCode = url === '/version' ? 200 : 403;
    answer.end(url === '/version' ? '{"version":"1.11.0"}' : '');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  closing.push(async () => {
    http.closeAllConnections();
    http.close();
  });
  const address = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  let now = NOW;
  const members = new Members({
    masters: async () => [address, '127.0.0.1:1'],
    credential: { principal: 'p', secret: 's' },
    schedulers: async () => [],
    now: () => now,
  });
  expect(await members.masters()).toEqual([
    { address, version: '1.11.0' },
    { address: '127.0.0.1:1', problem: expect.stringContaining('ECONNREFUSED') },
  ]);
  now += 4999;
  await members.masters();
  expect(asked.toSorted()).toEqual(['/metrics/snapshot Basic', '/version Basic']);
  now += 1;
  await members.masters();
  expect(asked).toHaveLength(4);
});

it('names the URLs of another scheduler by the ports of this one', () => {
  expect(urlsOf('h2:8080', { http: true })).toEqual(['http://h2:8080']);
  expect(urlsOf('h2:8080', { http: true, https: 8443 })).toEqual(['http://h2:8080', 'https://h2:8443']);
  expect(urlsOf('[::1]:8443', { http: false, https: 8443 })).toEqual(['https://[::1]:8443']);
});
