import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeFilesAnswer, encodeFilesRequest, readFilesAnswer, readFilesRequest } from '../exec/files.ts';
import { readSandbox } from './sandbox-reader.ts';

let root: string;
let sandbox: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sandbox-reader-'));
  sandbox = join(root, 'tasks/a%2Fb/sandbox');
  mkdirSync(join(sandbox, 'below'), { recursive: true });
  mkdirSync(join(root, 'tasks/other/sandbox'), { recursive: true });
  writeFileSync(join(root, 'tasks/other/stdout'), 'secret');
  writeFileSync(join(root, 'tasks/other/sandbox/file'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true }));

/** As the scheduler sees it. */
function read(path: string[], offset = 0, length = 1 << 20, task = 'a/b') {
  const request = readFilesRequest(encodeFilesRequest({ id: '1', task, path, offset, length }));
  if (!request) throw new Error('the request was not read');
  const found = readFilesAnswer(encodeFilesAnswer('1', readSandbox(root, request)))?.found;
  return found?.type === 'file' ? { ...found, bytes: found.bytes.toString('latin1') } : found;
}

it('reads parts of files, and lists directories', () => {
  writeFileSync(join(sandbox, 'below/ü "name"\n'), '0123456789\xff', 'latin1');
  expect(read(['below', 'ü "name"\n'])).toEqual({ type: 'file', size: 11, bytes: '0123456789\xff' });
  expect(read(['below', 'ü "name"\n'], 8, 2)).toEqual({ type: 'file', size: 11, bytes: '89' });
  expect(read(['below', 'ü "name"\n'], 100)).toEqual({ type: 'file', size: 11, bytes: '' });
  expect(read([])).toMatchObject({
    type: 'directory',
    more: false,
    entries: [{ name: 'below', type: 'directory' }],
  });
  expect(read(['below'])).toMatchObject({ entries: [{ name: 'ü "name"\n', type: 'file', size: 11 }] });
  expect(read(['none'])).toEqual({ type: 'missing' });
  expect(read([], 0, 1, 'none')).toEqual({ type: 'missing' });
});

it('follows no link, at the end or on the way, and opens nothing that blocks', async () => {
  symlinkSync('/etc/passwd', join(sandbox, 'host'));
  symlinkSync('../../other/stdout', join(sandbox, 'other'));
  symlinkSync('../../other', join(sandbox, 'directory'));
  symlinkSync('below', join(sandbox, 'own'));
  execFileSync('mkfifo', [join(sandbox, 'fifo')]);
  const server = createServer().listen(join(sandbox, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  const followed = { type: 'refused', message: 'leads through a link or a file, which is not followed' };
  for (const path of [['host'], ['other'], ['directory'], ['directory', 'stdout'], ['own'], ['own', 'x']]) {
    expect(read(path), path.join('/')).toEqual(followed);
  }
  for (const path of ['fifo', 'socket']) {
    expect(read([path]), path).toEqual({ type: 'refused', message: 'is not a regular file' });
  }
  for (const path of [['..'], ['..', 'stdout'], ['below/../..'], [''], ['\0']]) {
    expect(read(path), path.join('/')).toMatchObject({ type: 'refused' });
  }
  expect(read([])).toMatchObject({
    entries: [
      { name: 'below', type: 'directory' },
      { name: 'directory', type: 'link' },
      { name: 'fifo', type: 'other' },
      { name: 'host', type: 'link' },
      { name: 'other', type: 'link' },
      { name: 'own', type: 'link' },
      { name: 'socket', type: 'other' },
    ],
  });
  server.close();
});

it('does not even open what is no regular file', async () => {
  const fifo = join(sandbox, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const writer = spawn('sh', ['-c', 'echo >"$0"', fifo]);
  const ended = new Promise((resolve) => writer.once('exit', () => resolve('the writer found a reader')));
  // The writer waits in its call of open until somebody opens the pipe for reading.
  await sleep(300);
  for (let i = 0; i < 20; i += 1) {
    expect(read(['fifo'])).toEqual({ type: 'refused', message: 'is not a regular file' });
    await sleep(10);
  }
  expect(await Promise.race([ended, sleep(200, 'the writer waits')])).toBe('the writer waits');
  writer.kill('SIGKILL');
  await ended;
});

it('does not leave the task by a link in the place of its directory', () => {
  rmSync(sandbox, { recursive: true });
  symlinkSync('../other/sandbox', sandbox);
  expect(read(['file'])).toMatchObject({ type: 'refused' });
});

it('limits the entries of an answer', () => {
  for (let i = 0; i < 2001; i += 1) writeFileSync(join(sandbox, 'below', String(i)), '');
  const found = read(['below']);
  expect(found).toMatchObject({ type: 'directory', more: true });
  expect(found?.type === 'directory' && found.entries.length).toBe(2000);
});

it('ignores other messages', () => {
  for (const text of ['', '{}', '{"type":"files","id":1}', '{"type":"exec"}']) {
    const data = Buffer.from(text).toString('base64');
    expect([readFilesRequest(data), readFilesAnswer(data)]).toEqual([undefined, undefined]);
  }
});
