import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
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

test('reads the file system of each place, or of its nearest existing ancestor', () => {
  const output = run(`
PLACES='/
/proc/gone
/dev/shm'
spaces`);
  const numbers = String.raw`\d+ \d+ \d+ \d+`;
  expect(output).toMatch(new RegExp(`^${numbers} \\S+\n${numbers} proc\n${numbers} tmpfs\n$`));
});

test('a probe reads the options of the last and deepest mount of a directory, also of one mounted on itself', () => {
  const mount = (point: string, options: string, more: string) =>
    `36 35 8:1 / ${point} ${options} shared:1 - ext4 /dev/x ${more}`;
  const table = [
    mount('/', 'rw,relatime', 'rw'),
    mount('/usr', 'rw', 'rw'),
    mount('/usr', 'ro,relatime', 'rw'),
    mount('/usr/lib', 'rw,noexec', 'rw'),
    mount('/srv', 'rw', 'ro'),
    mount('/run', 'rw', 'rw,size=1k'),
  ];
  const output = run(`
. '${path.resolve('templates/host/probe/system.sh')}'
DISKS='/
/usr
/usr/lib
/usr/bin
/srv
/run
/gone'
existing() { place=$1; }
awk() {
  table='${table.join('\n')}'
  printf '%s\n' "$table" >"$work/table"
  command awk "$(printf '%s' "$1" | sed "s#/proc/self/mountinfo#$work/table#")"
}
work=$(mktemp -d)
mounts
rm -r "$work"`);
  expect(output.split('\n')).toEqual([
    'rw,relatime,rw',
    'ro,relatime,rw',
    'rw,noexec,rw',
    'ro,relatime,rw',
    'rw,ro',
    'rw,rw,size=1k',
    'rw,relatime,rw',
    '',
  ]);
});

test('reads which servers answer, and to which only short requests get through', async () => {
  const closed = createServer();
  const listening = await Promise.all(
    [0, 1, 2].map(async (kind) => {
      const server = createServer((socket) => {
        let request = '';
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          request += chunk;
          // 0: answers; 1: as if large packets were lost; 2: hangs.
          const isShort = request.endsWith('\r\n\r\n') && request.length < 1000;
          if (kind === 0 || (kind === 1 && isShort)) socket.end('HTTP/1.0 200 OK\r\n\r\n');
        });
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const ports = [...listening, closed].map((server) => (server.address() as AddressInfo).port);
  closed.close();
  const [good, lossy, hanging, none] = ports;
  try {
    const dials = [...ports.map((port) => `127.0.0.1 ${port} /health`), `127.0.0.1 ${hanging} `];
    const script = `NEWLINE='\n'\nDIAL_SECONDS=5 LARGE_BYTES=10000\nDIALS='${dials.join('\n')}'\n${PARTS.map((file) => `. '${file}'`).join('\n')}\ndials`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script], { timeout: 60_000 });
    expect(stdout.trim().split('\n').sort()).toEqual(
      [
        `127.0.0.1 ${good} open`,
        `127.0.0.1 ${lossy} open large`,
        `127.0.0.1 ${hanging} open`,
        `127.0.0.1 ${hanging} open`,
        `127.0.0.1 ${none} Connection refused`,
      ].sort(),
    );
  } finally {
    for (const server of listening) server.close();
  }
});

test('reads the lines of the last day about faults in the log of the kernel', () => {
  const output = run(`
KERNEL_HOURS=1 KERNEL_FAULTS='Out of memory: Kill|I/O error'
cut() { echo 10000; }
dmesg() { printf '%s\\n' '[ 6000.1] Out of memory: Killed process 1' '[ 6500.123456] Out of memory: Killed process 2' '[ 6501.0] usb 1-1: new device' '[10000.0] I/O error, dev sda'; }
kernel`);
  expect(output).toBe('[ 6500.123456] Out of memory: Killed process 2\n[10000.0] I/O error, dev sda\n');
});

test('reads certificates of files and directories, and never a key', () => {
  const at = mkdtempSync(path.join(directory, 'pem-'));
  const pem = (kind: string, text: string) => `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`;
  writeFileSync(
    path.join(at, 'a b.pem'),
    `${pem('PRIVATE KEY', 'secret')}${pem('CERTIFICATE', 'one')}text\n${pem('CERTIFICATE', 'two')}`,
  );
  writeFileSync(path.join(at, 'other.key'), pem('CERTIFICATE', 'three'));
  const output = run(`CERTIFICATES='${at}\n/gone.pem'\ncertificates`);
  const file = `${pem('CERTIFICATE', 'one')}${pem('CERTIFICATE', 'two')}`;
  expect(output).toBe(`certificate ${at}/a b.pem\0${file}\0certificate /gone.pem\0\0`);
});
