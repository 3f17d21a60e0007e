import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-mesos-'));
afterAll(() => rmSync(directory, { recursive: true }));
const software = path.resolve('templates/host/probe/software.sh');

/** @param programs possible programs of Mesos */
function answer(...programs: string[]): string {
  const text = `member() { printf '%s: ' "$1"; cat; }; . '${software}'; MESOS_PROGRAMS='${programs.join('\n')}' mesos_tls`;
  return execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

test('a program that needs OpenSSL itself has TLS, and another one has none', () => {
  expect(answer('/none', '/usr/bin/openssl', '/bin/true')).toBe('mesosTls: yes\n');
  expect(answer('/bin/true', '/usr/bin/openssl')).toBe('mesosTls: no\n');
});

test('of a script, and without a program, it is not known', () => {
  const script = path.join(directory, 'mesos-master');
  writeFileSync(script, '#!/bin/sh\n# libssl.so\n');
  chmodSync(script, 0o755);
  expect(answer(script)).toBe('mesosTls: ');
  expect(answer('/none')).toBe('mesosTls: ');
});

test('the libraries of Mesos decide, wherever the loader finds them', () => {
  const program = path.join(directory, 'mesos-agent');
  const [mesos, process] = ['libmesos-1.11.0.so', 'libprocess.so'].map((name) => path.join(directory, name));
  execFileSync('cp', ['/bin/true', program]);
  const run = (...found: string[]) => {
    const lines = found.map((one) => `\\t${path.basename(one)} => ${one} (0x1)\\n`).join('');
    const text = `ldd() { printf '\\tlibc.so.6 => /lib/libc.so.6 (0x1)\\n${lines}'; }
      member() { cat; }; . '${software}'; MESOS_PROGRAMS='${program}' mesos_tls`;
    return execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8' });
  };
  if (!mesos || !process) throw new TypeError();
  writeFileSync(mesos, 'needs libcurl.so.4');
  expect(run(mesos)).toBe('no\n');
  writeFileSync(process, 'needs libssl.so.3');
  expect(run(mesos, process)).toBe('yes\n');
  writeFileSync(mesos, 'needs libssl.so.3');
  expect(run(mesos)).toBe('yes\n');
  expect(run(path.join(directory, 'libmesos-none.so'))).toBe('');
});
