import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogDirectory, LogFile } from './log-file.ts';
import { decodePositions, encodePositions, positionAt } from './log-position.ts';
import { startLog } from './log-start.ts';
import { readLogs } from './log-stream.ts';

const BEGINNING = positionAt(0, Buffer.alloc(0));

/** Files of a directory in memory, of which the newest may be rotated at any time. */
class Files implements LogDirectory {
  /** The newest first. */
  readonly files: Buffer[] = [Buffer.alloc(0)];
  readonly keep: number;
  /** Called before each read. */
  beforeRead = (): void => {};

  constructor(keep = 100) {
    this.keep = keep;
  }

  write(text: string): void {
    this.files[0] = Buffer.concat([this.files[0] ?? Buffer.alloc(0), Buffer.from(text)]);
  }

  rotate(): void {
    this.files.unshift(Buffer.alloc(0));
    this.files.splice(this.keep);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer | undefined> {
    this.beforeRead();
    const file = this.files[name === 'stdout' ? 0 : Number(name.slice('stdout.'.length))];
    return file && Buffer.from(file.subarray(offset, offset + length));
  }

  async list() {
    return this.files.map(({ length }, i) => ({ name: i === 0 ? 'stdout' : `stdout.${i}`, size: length }));
  }
}

async function readAll(directory: LogDirectory, from: Parameters<typeof startLog>[2] = {}): Promise<string> {
  const log = await startLog(directory, 'stdout', from);
  let text = '';
  for await (const { bytes } of readLogs({
    logs: new Map([['stdout', log]]),
    follow: false,
    byLines: false,
    hasEnded: async () => true,
    signal: new AbortController().signal,
  })) {
    text += bytes.toString();
  }
  return text;
}

describe('a reader of output', () => {
  it('reads every byte once, in order, whenever the file is rotated', async () => {
    // Files and reads are longer than the bytes by which a file is recognized.
    const action = fc.oneof(
      fc.record({ write: fc.integer({ min: 100, max: 300 }) }),
      fc.constant('rotate' as const),
      fc.record({ read: fc.integer({ min: 100, max: 400 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const files = new Files();
        let written = '';
        let read = '';
        let file = new LogFile(files, 'stdout', BEGINNING);
        let count = 0;
        const take = async (limit: number) => {
          const bytes = (await file.peek()).subarray(0, limit);
          read += bytes.toString();
          file.consume(bytes.length);
          return bytes.length;
        };
        for (const one of actions) {
          if (one === 'rotate') {
            // An empty file is not rotated.
            if (files.files[0]?.length) files.rotate();
          } else if ('write' in one) {
            let text = '';
            while (text.length < one.write) text += `line ${count++}\n`;
            files.write(text);
            written += text;
          } else {
            await take(one.read);
            // Resumes by the id of an event.
            const { stdout = BEGINNING } = decodePositions(encodePositions({ stdout: file.position })) ?? {};
            file = new LogFile(files, 'stdout', stdout);
          }
        }
        while ((await take(1000)) > 0);
        expect(read).toBe(written);
      }),
    );
  });

  it('is not misled by a rotation between its requests', async () => {
    for (let at = 1; at <= 8; at += 1) {
      const files = new Files();
      let written = '';
      const write = (name: string) => {
        const text = Array.from({ length: 20 }, (_, i) => `${name} ${i}\n`).join('');
        files.write(text);
        written += text;
      };
      write('first');
      const file = new LogFile(files, 'stdout', BEGINNING);
      let read = (await file.peek()).toString();
      file.consume(read.length);
      files.rotate();
      write('second');
      let requests = 0;
      files.beforeRead = () => {
        requests += 1;
        if (requests !== at) return;
        files.rotate();
        write('third');
      };
      for (;;) {
        const bytes = await file.peek();
        if (bytes.length === 0 && requests > at) break;
        read += bytes.toString();
        file.consume(bytes.length);
      }
      expect(read, `request ${at}`).toBe(written);
      expect(file.takeLoss()).toBe(false);
    }
  });

  it('goes on with the oldest output, and says so, if its file was removed', async () => {
    const files = new Files(2);
    files.write('first\n');
    const file = new LogFile(files, 'stdout', BEGINNING);
    file.consume((await file.peek()).length);
    for (const text of ['second\n', 'third\n', 'fourth\n']) {
      files.rotate();
      files.write(text);
    }
    expect((await file.peek()).toString()).toBe('third\n');
    expect([file.takeLoss(), file.takeLoss()]).toEqual([true, false]);
  });

  it('begins at the last lines, also of rotated files', async () => {
    const files = new Files();
    files.write('1\n2\n3\n');
    files.rotate();
    files.write('4\n5\n');
    files.rotate();
    files.write('6\nunfinished');
    const all = '1\n2\n3\n4\n5\n6\nunfinished';
    expect(await readAll(files)).toBe(all);
    for (let lines = 0; lines <= 9; lines += 1) {
      const expected = lines === 0 ? '' : all.split('\n').slice(-lines).join('\n');
      expect(await readAll(files, { lines }), String(lines)).toBe(expected);
    }
  });

  it('finds the last lines of long files', async () => {
    const files = new Files();
    const lines = Array.from({ length: 30_000 }, (_, i) => `this is line ${i}\n`);
    files.write(lines.join(''));
    for (const count of [1, 1000, 29_999, 30_000]) {
      expect(await readAll(files, { lines: count })).toBe(lines.slice(-count).join(''));
    }
  });

  it('passes on complete lines, and characters that are not cut', async () => {
    const files = new Files();
    const text = `${'ü€😀'.repeat(20_000)}\nend`;
    files.write(text);
    const log = await startLog(files, 'stdout', {});
    const pieces: string[] = [];
    for await (const { bytes } of readLogs({
      logs: new Map([['stdout', log]]),
      follow: false,
      byLines: true,
      hasEnded: async () => true,
      signal: new AbortController().signal,
    })) {
      pieces.push(bytes.toString('utf8'));
    }
    expect(pieces.join('')).toBe(text);
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) expect(piece).not.toContain('\ufffd');
  });
});

it('refuses ids that it has not written', () => {
  for (const bad of [
    '',
    'x',
    'stdout:1',
    'stdout:1-',
    'stdout:0-0123456789abcdef',
    'stdin:0-',
    'stdout:-1-',
  ]) {
    expect(decodePositions(bad), bad).toBeUndefined();
  }
});

it('seeks the last lines in a limited part of a file without ends of lines', async () => {
  const size = 2 ** 40;
  let read = 0;
  const huge: LogDirectory = {
    read: async (_name, _offset, length) => {
      read += length;
      return Buffer.alloc(length, 'x');
    },
    list: async () => [
      { name: 'stdout', size },
      { name: 'stdout.1', size },
    ],
  };
  const { available } = await startLog(huge, 'stdout', { lines: 10 });
  expect(read).toBeLessThan(40 << 20);
  expect(available).toBeGreaterThanOrEqual(32 << 20);
  expect(available).toBeLessThan(40 << 20);
});
