/** Runs over a connection: their data, their end, and the effect of a lost connection. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../src/hosts/host.ts';
import { Inbox } from '../../support/inbox.ts';
import { expectAbortable } from './abort.ts';
import { type Sshd, SshLab, Wire } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;
let host: Host;
const wires: Wire[] = [];

beforeAll(async () => {
  lab = await SshLab.make();
  sshd = await lab.start();
  await lab.know(sshd);
  host = lab.open(sshd);
});
afterEach(() => {
  for (const wire of wires.splice(0)) wire.close();
});
afterAll(() => lab.remove());

/** The same host over a connection that the test can cut. */
async function overWire(): Promise<[Host, Wire]> {
  const wire = await Wire.to(sshd);
  wires.push(wire);
  await lab.know(sshd, `[127.0.0.1]:${wire.port}`);
  return [lab.open(wire), wire];
}

test('runs a script as root with a plain environment, its input, and its complete output', async () => {
  const script = [
    '#!/bin/sh',
    'id -u; umask; pwd; echo "$LANG $LC_ALL $#"; echo "$PATH"',
    'cat; echo "§ to the end" >&2; exit 7',
    '',
  ].join('\n');
  const result = await host.run(script, { input: Buffer.from('täglich\n') });
  const searched = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  expect(result).toEqual({
    stdout: `0\n0022\n/\nC C 0\n${searched}\ntäglich\n`,
    stderr: '§ to the end\n',
    code: 7,
    signal: null,
  });
});

test('runs a script with an empty input by default', async () => {
  expect((await host.run('cat; echo end')).stdout).toBe('end\n');
});

test('keeps a character that is split over two chunks, in the text and in lines', async () => {
  // A character has three bytes and packets have a power of two, so most packets end within a character.
  const line = '€'.repeat(1000);
  const script = 'i=0; while [ $i -lt 500 ]; do cat "$f"; i=$((i + 1)); done; rm "$f"';
  const make = `f=$(mktemp); cat >"$f"; ${script}`;
  expect((await host.run(make, { input: Buffer.from(`${line}\n`) })).stdout).toBe(`${line}\n`.repeat(500));
  const lines: string[] = [];
  await host.run(make, { input: Buffer.from(`${line}\n`), onLine: (text) => lines.push(text) });
  expect(lines).toEqual(Array.from({ length: 500 }, () => line));
});

test('reports a signal, and a syntax error as a failure of the script', async () => {
  expect(await host.run('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(await host.run('if')).toMatchObject({ code: 2, stderr: expect.stringContaining('Syntax error') });
});

test('shows no part of the script in an argument list', async () => {
  const script = 'secret=swordfish; grep -l sword[f]ish /proc/[0-9]*/cmdline 2>/dev/null; echo seen';
  expect((await host.run(script)).stdout).toBe('seen\n');
});

test('transfers a script and an input of many megabytes unchanged, beside other runs', async () => {
  const comment = `# ${'x'.repeat(300_000)}\n`;
  const input = Buffer.alloc(20_000_000, 'mesos ');
  const chunks = Readable.from(
    (function* () {
      for (let at = 0; at < input.length; at += 70_000) yield input.subarray(at, at + 70_000);
    })(),
  );
  const results = await Promise.all([
    host.run(`${comment.repeat(3)}wc -c`, { input: chunks }),
    host.run('wc -c', { input }),
    ...Array.from({ length: 20 }, (_, i) => host.run(`sleep 0.1; echo ${i}`)),
  ]);
  expect(results.map(({ stdout }) => stdout.trim())).toEqual([
    '20000000',
    '20000000',
    ...Array.from({ length: 20 }, (_, i) => String(i)),
  ]);
  expect(sshd.count(/Accepted publickey/)).toBe(1);
});

test('ends the run if the script ends without reading its input', async () => {
  expect(await host.run('exit 3', { input: Buffer.alloc(20_000_000) })).toMatchObject({ code: 3 });
});

test('ends the run with the error of its input', async () => {
  const input = new Readable({ read() {} });
  const started = new Inbox<string>();
  const run = host.run('echo started; cat', { input, onLine: started.put });
  await started.next();
  input.destroy(new Error('the disk is on fire'));
  await expect(run).rejects.toThrow('the disk is on fire');
});

test('delivers lines while the script runs', async () => {
  const lines = new Inbox<string>();
  const input = new Readable({ read() {} });
  const run = host.run('echo one; read -r x; echo "$x"; printf rest', { input, onLine: lines.put });
  expect(await lines.next()).toBe('one');
  input.push('two\n');
  expect(await lines.next()).toBe('two');
  expect(await run).toMatchObject({ stdout: '', code: 0 });
  expect(lines.unread).toEqual(['rest']);
});

test('ends an aborted run with its reason, and keeps the connection usable', async () => {
  await expectAbortable(host);
});

test('fails all runs as lost after a reset, and connects again for the next run', async () => {
  const [far, wire] = await overWire();
  const lines = new Inbox<string>();
  const runs = [1, 2].map(() => far.run('echo on; sleep 30', { onLine: lines.put }));
  await Promise.all(runs.map(() => lines.next()));
  wire.reset();
  for (const run of runs) {
    await expect(run).rejects.toMatchObject({ name: 'HostError', host: 'box', failure: 'lost' });
  }
  expect((await far.run('echo again')).stdout).toBe('again\n');
});

test('fails the runs of a host that stops answering as lost', async () => {
  await writeFile(path.join(lab.ssh, 'config'), 'ServerAliveInterval 1\nServerAliveCountMax 1');
  const [far, wire] = await overWire();
  const lines = new Inbox<string>();
  const run = far.run('echo on; sleep 60', { onLine: lines.put });
  await lines.next();
  wire.freeze();
  await expect(run).rejects.toMatchObject({ failure: 'lost' });
  await writeFile(path.join(lab.ssh, 'config'), '');
});

test('reports no failure for a reset between runs', async () => {
  const [far, wire] = await overWire();
  await far.run('true');
  wire.reset();
  // A run may still use the old connection until the reset is noticed.
  const again = async () => (await far.run('echo again').catch(() => null))?.stdout;
  await expect.poll(again, { timeout: 30_000 }).toBe('again\n');
});

test('does not start a script that arrived incompletely', async () => {
  const [far, wire] = await overWire();
  const file = `${lab.dir}/begun`;
  wire.resetAfter(5_000_000);
  await expect(far.run(`touch ${file}\n${`# ${'x'.repeat(1000)}\n`.repeat(10_000)}`)).rejects.toMatchObject({
    failure: 'lost',
  });
  // A shell that has ended can't start the script.
  await host.run(`while pgrep -f "head -c 100[0-9]*" >/dev/null; do sleep 0.05; done`);
  expect((await host.run(`test -e ${file}`)).code).toBe(1);
});

test('shares the sessions of a host that allows fewer than usual', async () => {
  const narrow = await lab.start({ config: ['MaxSessions 2'] });
  await lab.know(narrow);
  const one = lab.open(narrow);
  const results = await Promise.all(Array.from({ length: 12 }, (_, i) => one.run(`echo ${i}`)));
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 12 }, (_, i) => i));
});

test('runs a script beside a long one on a host that allows one session per connection', async () => {
  const single = await lab.start({ config: ['MaxSessions 1'] });
  await lab.know(single);
  const one = lab.open(single);
  const begun = Promise.withResolvers<void>();
  const input = new PassThrough();
  const lasting = one.run('echo on; cat', { input, onLine: () => begun.resolve() });
  await begun.promise;
  expect((await one.run('echo beside')).stdout).toBe('beside\n');
  input.end();
  expect(await lasting).toMatchObject({ code: 0 });
});

test('reports a host that refuses to open a session', async () => {
  const none = await lab.start({ config: ['MaxSessions 0'] });
  await lab.know(none);
  await expect(lab.open(none).run('true')).rejects.toMatchObject({
    failure: 'unreachable',
    remedy: expect.stringContaining('MaxSessions'),
  });
});
