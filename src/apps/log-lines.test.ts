import { describe, expect, it } from 'vitest';
import { LineFormat, LineSplitter, taskLabel } from './log-lines.ts';

const TASK = 'shop_web.instance-01a229d6-a3be-8000-8000-000100000001._app.1';

it.each([
  [TASK, 'web.100000001'],
  [TASK.replace('app.1', 'app.12'), 'web.100000001.12'],
  ['multidis_0-1400000000000', 'multidis_0-1400000000000'],
])('the label of %s is %s', (id, label) => {
  expect(taskLabel(id)).toBe(label);
});

it('splits the output of each stream into lines', () => {
  const splitter = new LineSplitter();
  expect(splitter.push('stdout', 'a\r\nb')).toEqual(['a']);
  expect(splitter.push('stderr', 'x')).toEqual([]);
  expect(splitter.push('stdout', 'c\n\n')).toEqual(['bc', '']);
  expect(splitter.end()).toEqual([{ stream: 'stderr', text: 'x' }]);
});

it('passes on a line without an end once it is too long', () => {
  const splitter = new LineSplitter(10);
  expect(splitter.push('stdout', '0123456789')).toEqual([]);
  expect(splitter.push('stdout', 'ab')).toEqual(['0123456789ab']);
  expect(splitter.push('stdout', 'c\nd')).toEqual(['c']);
  expect(splitter.end()).toEqual([{ stream: 'stdout', text: 'd' }]);
});

it('takes no more time for a piece of a long line than for another one', () => {
  const splitter = new LineSplitter();
  const piece = 'x'.repeat(100);
  let lines = 0;
  // Searching the line again for each piece would take minutes.
  for (let i = 0; i < 60_000; i += 1) lines += splitter.push('stdout', piece).length;
  expect([lines, splitter.end()[0]?.text.length]).toEqual([0, 6_000_000]);
});

describe('LineFormat', () => {
  const line = { task: TASK, stream: 'stdout', text: 'a\u001b[2Jb' } as const;

  it('names the task of each line, and marks stderr', () => {
    const format = new LineFormat({ colour: false, prefix: true, terminal: false });
    expect(format.format(line)).toBe('web.100000001 | a\u001b[2Jb');
    expect(format.format({ ...line, task: 'x', stream: 'stderr', text: 'y' })).toBe('x             ! y');
  });

  it('removes the colours of the output on a terminal without colours, and passes them on in a pipe', () => {
    const line = { task: 'a', stream: 'stdout', text: '\u001b[31mred\u001b[0m\u0007' } as const;
    const terminal = new LineFormat({ colour: false, prefix: false, terminal: true });
    expect(terminal.format(line)).toBe('red\\x07');
    expect(new LineFormat({ colour: false, prefix: false, terminal: false }).format(line)).toBe(line.text);
  });

  it('shows control sequences on a terminal, and gives each task a colour', () => {
    const format = new LineFormat({ colour: true, prefix: true, terminal: true });
    expect(format.format(line)).toBe('\u001b[36mweb.100000001 |\u001b[0m a\\x1b[2Jb\u001b[0m');
    expect(format.format({ ...line, task: 'x' })).toContain('\u001b[33m');
    expect(format.format(line)).toContain('\u001b[36m');
  });

  it('leaves a single task without a prefix', () => {
    const format = new LineFormat({ colour: false, prefix: false, terminal: false });
    expect(format.format(line)).toBe(line.text);
  });
});
