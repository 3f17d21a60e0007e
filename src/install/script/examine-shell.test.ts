import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const PARTS = ['parts.sh', 'doctor/examine.sh'].map((name) => path.resolve('templates/host', name));
const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-examine-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a part of the script with functions in the place of programs. */
function run(script: string): string {
  const all = PARTS.map((file) => `. '${file}'`).join('\n');
  return execFileSync('/bin/sh', ['-c', `NEWLINE='\n'\n${all}\n${script}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

function sandbox(name: string, content?: string): string {
  const made = path.join(directory, name);
  mkdirSync(made);
  if (content !== undefined) writeFileSync(path.join(made, 'supervisor.pid'), content);
  return made;
}

test('finds containers without a supervisor, and waits for no file that a task has made', () => {
  const began = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /s, '').split(' ')[19];
  const alive = sandbox('alive', `${process.pid} ${began}\n`);
  const gone = sandbox('gone', '4194305 17\n');
  const none = sandbox('none');
  const hostile = sandbox('hostile', `../../etc ${'x'.repeat(100_000)}`);
  const pipe = sandbox('pipe');
  execFileSync('mkfifo', [path.join(pipe, 'supervisor.pid')]);
  const listed = Object.entries({ alive, gone, none, hostile, pipe }).map(
    ([id, at]) => `${id} c-${id} ${at}`,
  );
  const output = run(`
cat() { echo $$; }
timeout() {
  case $2 in docker) printf '%s\\n' ${listed.map((line) => `'${line}'`).join(' ')} ;; *) command timeout "$@" ;; esac
}
orphans 2>/dev/null`);
  expect(output).toBe('gone c-gone\n');
});

test('reads the file system that is mounted last, one line for each place', () => {
  const output = run(`
PLACES='/
/tmp'
stat() { echo '4 3 2 1'; }
findmnt() { case $* in */tmp) printf 'autofs\\nnfs\\n' ;; *) echo ext4 ;; esac; }
spaces`);
  expect(output).toBe('4 3 2 1 ext4\n4 3 2 1 nfs\n');
});

test('a probe reads the mount options of the same file system', () => {
  const output = run(`
. '${path.resolve('templates/host/probe/system.sh')}'
DISKS='/
/tmp
/gone'
existing() { place=$1; }
findmnt() {
  case $place in /tmp) printf 'ro\\nrw\\n' ;; /) echo rw,noexec ;; *) return 1 ;; esac
}
mounts`);
  expect(output).toBe('rw,noexec\nrw\nunknown\n');
});
