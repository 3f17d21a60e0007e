import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { clusterOf, hostOf, scripts, secrets } from '../../../test/install/hosts.ts';
import { collectScript, parseCollection } from './collect-script.ts';

const run = promisify(execFile);

test('reads the host, and asks its servers with credentials that are in no output', async () => {
  const asked: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push(`${url} ${Buffer.from(headers.authorization?.split(' ')[1] ?? '', 'base64')}`);
    response.end('{"master/elected": 1}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    const script = collectScript(scripts, {
      cluster: clusterOf([], { ports: { master: port, agent: 1, scheduler: 1, zookeeper: 1 } }),
      host: hostOf('h1', { roles: ['master'] }),
      address: '127.0.0.1',
      services: ['mesos-master'],
      secrets,
    });
    const running = run('/bin/sh', ['-s'], { timeout: 60_000 });
    running.child.stdin?.end(script);
    const found = parseCollection((await running).stdout);
    expect(asked).toEqual([`/metrics/snapshot operator:${secrets.operator}`]);
    expect(found.metrics).toEqual({ master: '{"master/elected": 1}' });
    expect(found.system.disks).toMatch(/^Filesystem/);
    expect(found.system.memory).toMatch(/^MemTotal/);
    expect(JSON.stringify(found)).not.toContain(secrets.operator);
  } finally {
    server.close();
  }
});

test('omits empty texts, and refuses an incomplete answer', () => {
  expect(() => parseCollection('{"format":1,"logs":""}')).toThrow('not the answer of a collection');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const answer = {
    format: 1,
    logs: base64('a.service\0one\ntwo\n\0b.service\0\n\0'),
    system: '',
    metrics: '',
  };
  expect(parseCollection(JSON.stringify(answer))).toEqual({
    logs: { a: 'one\ntwo\n' },
    system: {},
    metrics: {},
  });
});
