import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { proxyEnvironment } from './proxy.ts';

test('asks no proxy for the names that no_proxy excludes, and their subdomains', async () => {
  const proxy = http.createServer((_request, response) => response.end('proxy')).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const ask = async (no_proxy: string, host: string, http_proxy = `http://${address}`) => {
    const agent = new http.Agent({ proxyEnv: proxyEnvironment({ http_proxy, no_proxy }) });
    const lookup: http.RequestOptions['lookup'] = (_name, _options, done) => done(new Error('direct'), '');
    const options = { agent, headers: { Authorization: 'Basic x' }, ...(host !== '127.0.0.1' && { lookup }) };
    const sent = http.get(`http://${host}/`, options);
    return once(sent, 'response').then(
      ([answer]) => text(answer),
      ({ message }) => message,
    );
  };
  try {
    const direct: [list: string, host: string][] = [
      ['mesos.test', 'mesos.test'],
      ['mesos.test', 'a.b.mesos.test'],
      ['.mesos.test', 'mesos.test'],
      ['other.test MESOS.test', 'a.mesos.test'],
      ['*.mesos.test', 'a.mesos.test'],
      ['*', 'mesos.test'],
    ];
    for (const [list, host] of direct)
      expect([list, host, await ask(list, host)]).toEqual([list, host, 'direct']);
    for (const list of ['', 'mesos.test', '.mesos.test'])
      expect(await ask(list, 'notmesos.test')).toBe('proxy');
    // Without a scheme, as curl takes it.
    expect(await ask('', 'mesos.test', address)).toBe('proxy');
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});

test('knows the networks of no_proxy, and leaves other addresses as they are', () => {
  const listed = (no_proxy: string) => proxyEnvironment({ no_proxy }).no_proxy?.split(',').slice(4);
  expect(listed('10.0.0.0/8,172.16.5.1/12 192.0.2.7/32')).toEqual([
    '10.0.0.0-10.255.255.255',
    '172.16.0.0-172.31.255.255',
    '192.0.2.7-192.0.2.7',
  ]);
  const others = ['192.0.2.1', 'fe80::1', '192.0.2.1-192.0.2.9', 'mesos.test:8080', '10.0.0.0/99'];
  expect(listed(others.join(','))).toEqual(others);
});
