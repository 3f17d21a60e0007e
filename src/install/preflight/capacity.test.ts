import { expect, test } from 'vitest';
import { bareFacts } from '../../../test/install/hosts.ts';
import { checkHost, installedPackage, render } from '../../../test/install/preflight.ts';

test('too little memory is a warning, and less than half of the need is an error', () => {
  expect(render(checkHost({ memoryBytes: 900e6 }))).toEqual([
    'h1 warning memory: the host has 900 MB of memory; its roles (master, scheduler, agent) need 1024 MB',
  ]);
  expect(checkHost({ memoryBytes: 500e6 })[0]?.severity).toBe('error');
});

test('adds up the disk space that packages and the payload need on each file system', () => {
  expect(render(checkHost({ diskFreeBytes: { '/': 1000e6, '/opt': 1000e6, '/var': 1000e6 } }))).toEqual([
    'h1 error disk: / and /var/cache/apt and /opt have 1000 MB free, but 1230 MB are needed',
  ]);
  expect(render(checkHost({ diskFreeBytes: { '/': 9e9, '/opt': 150e6, '/var': 8e9 } }))).toEqual([
    'h1 error disk: /opt has 150 MB free, but 200 MB are needed',
  ]);
  const packages = { 'docker.io': installedPackage('20'), 'aventer-mesos': installedPackage('1.11.0') };
  const mesosup = { ...bareFacts('x').mesosup, payloads: ['1.2.3'] };
  expect(checkHost({ diskFreeBytes: { '/': 1e6, '/opt': 1e6, '/var': 1e6 }, packages, mesosup })).toEqual([]);
});

test.each([
  ['/opt', { noexec: true, readonly: false }, /\/opt is on .* noexec, so mesosup's runtime can't run there/],
  ['/var', { noexec: true, readonly: false }, /\/var is on .* noexec, so dpkg's scripts can't run there/],
  ['/usr', { noexec: false, readonly: true }, /\/usr is on a file system that is mounted read-only/],
])('refuses %s mounted as %j', (path, mount, message) => {
  const found = render(checkHost({ mounts: { [path]: mount } }));
  expect(found).toEqual([expect.stringMatching(message)]);
  expect(render(checkHost({ mounts: { [path]: { noexec: false, readonly: false } } }))).toEqual([]);
});
