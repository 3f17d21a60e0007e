import { expect, test } from 'vitest';
import { lbTargets, parseTarget, schedulerTargets, scrapeConfig } from './scrape-config.ts';

test('names files of credentials, and each target with its host', () => {
  const config = scrapeConfig({
    cluster: 'prod',
    exporters: [parseTarget('[::1]:9103', '--exporters')],
    ...schedulerTargets(['https://s1.example', 'https://s2:8443'], '--schedulers'),
    access: { kind: 'token', file: '/etc/token' },
    caFile: '/etc/ca.pem',
    ...lbTargets(['h1'], '--lb'),
  });
  expect(config.scrape_configs).toEqual([
    {
      job_name: 'mesos',
      static_configs: [{ targets: ['[::1]:9103'], labels: { cluster: 'prod', host: '::1' } }],
    },
    {
      job_name: 'mesosup-scheduler',
      metrics_path: '/metrics/prometheus',
      scheme: 'https',
      authorization: { credentials_file: '/etc/token' },
      tls_config: { ca_file: '/etc/ca.pem' },
      static_configs: [
        { targets: ['s1.example:443'], labels: { cluster: 'prod', host: 's1.example' } },
        { targets: ['s2:8443'], labels: { cluster: 'prod', host: 's2' } },
      ],
    },
    {
      job_name: 'mesosup-lb',
      static_configs: [{ targets: ['h1:9102'], labels: { cluster: 'prod', host: 'h1' } }],
    },
    {
      job_name: 'haproxy',
      static_configs: [{ targets: ['h1:9101'], labels: { cluster: 'prod', host: 'h1' } }],
    },
  ]);
});

test('has no job without targets', () => {
  const none = { cluster: 'c', exporters: [], ...schedulerTargets([], ''), ...lbTargets([], '') };
  expect(scrapeConfig(none).scrape_configs).toEqual([]);
});

test.each([
  [() => parseTarget('h1', '--exporters'), "--exporters is 'h1': expected HOST:PORT, such as h1:9103"],
  [() => lbTargets(['a b'], '--lb'), /--lb is 'a b:91/],
  [() => schedulerTargets(['ftp://x'], '--schedulers'), /--schedulers is 'ftp:\/\/x': expected/],
  [() => schedulerTargets(['http://u:secret@x'], '--schedulers'), /is 'http:\/\/…@x': expected/],
  [() => schedulerTargets(['http://x', 'https://y'], '--schedulers'), /http and with https/],
])('refuses %s with %s', (parse, message) => {
  expect(parse).toThrow(message);
});
