import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { login } from '../../test/install/hosts.ts';
import { Hosts } from './connect.ts';
import { launch } from './launcher.ts';

const host = new Hosts(login).open({ name: 'here', address: 'here', connection: { kind: 'local' } });
// Becoming root with sudo works like over SSH, and is tested there.
const asRoot = test.skipIf(process.getuid?.() !== 0);

asRoot('a script runs as root with a plain environment, and its input follows it', async () => {
  const script = 'id -u; umask; pwd; echo "$LC_ALL $#"; cat; echo "§" >&2; exit 7\n\n';
  expect(await host.run(script, { input: Buffer.from('täglich\n') })).toEqual({
    stdout: '0\n0022\n/\nC 0\ntäglich\n',
    stderr: '§\n',
    code: 7,
    signal: null,
  });
});

asRoot('lines, a stream for input, and a signal at the end', async () => {
  const lines: string[] = [];
  const input = Readable.from([Buffer.from('a'), Buffer.from('b\nc\n')]);
  const result = await host.run('cat; kill -TERM $$', { input, onLine: (line) => lines.push(line) });
  expect(result).toEqual({ stdout: '', stderr: '', code: null, signal: 'SIGTERM' });
  expect(lines).toEqual(['ab', 'c']);
});

asRoot(
  'runs a script that ignores its input, and a script of a megabyte with multi-byte characters',
  async () => {
    expect(await host.run('exit 3', { input: Buffer.alloc(5_000_000) })).toMatchObject({ code: 3 });
    expect((await host.run(`# ${'€'.repeat(300_000)}\necho end`)).stdout).toBe('end\n');
  },
);

asRoot('an abort ends the script', async () => {
  const abort = new AbortController();
  const run = host.run('echo on; exec sleep 60', {
    signal: abort.signal,
    onLine: () => abort.abort(new Error('enough')),
  });
  await expect(run).rejects.toThrow('enough');
});

test('sends a command of one line for any login shell, without the script', () => {
  const { command, script } = launch(login, 'echo secret');
  expect(command).not.toContain('secret');
  expect(command).not.toMatch(/[\n\\!]/);
  expect(script.toString()).toBe('echo secret');
  expect(launch(login, '').command).not.toBe(launch(login, '').command);
});

test('refuses a script with a NUL byte', () => {
  expect(() => launch(login, 'a\0b')).toThrow(TypeError);
});
