import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemdProblem } from './systemd-support.ts';

const directory = mkdtempSync(join(tmpdir(), 'mesosup-systemd-'));
afterAll(() => rmSync(directory, { recursive: true }));

function put(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

const systemd = put('systemd', '#!/bin/sh\necho "systemd 252 (252.30-1~deb12u2)"\n');
const upstart = put('upstart', '#!/bin/sh\necho "init (upstart 1.12.1)"\n');
const v1 = put('v1', 'cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n');
const v2 = put('v2', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n');
const places = { runtimeDirectory: directory, hierarchy: '/sys/fs/cgroup', init: systemd, mounts: v2 };

test('an agent with systemd support is refused on a host with only cgroups v2', () => {
  expect(systemdProblem(places)).toBe(
    "Failed to initialize systemd: Failed to locate systemd cgroups hierarchy: '/sys/fs/cgroup/systemd' is not a valid hierarchy",
  );
});

test('an agent with systemd support starts with systemd on cgroups v1, and with any other init', () => {
  expect(systemdProblem({ ...places, mounts: v1 })).toBeUndefined();
  expect(systemdProblem({ ...places, init: upstart })).toBeUndefined();
  expect(systemdProblem({ ...places, init: join(directory, 'none') })).toBeUndefined();
});

test('an agent with systemd support is refused if systemd has no runtime directory', () => {
  expect(systemdProblem({ ...places, runtimeDirectory: '/nonexistent' })).toBe(
    'Failed to initialize systemd: Failed to locate systemd runtime directory: /nonexistent',
  );
});
