import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../test/support/runs.ts';
import { splitCommand } from './split-command.ts';

const ENV = { PORT0: '31000', TWO: 'a  b', EMPTY: '' };

describe('splitCommand', () => {
  it.each([
    ['johncosta/redis', ['johncosta/redis']],
    ['  a   b\t c ', ['a', 'b', 'c']],
    [`a 'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
    [`a "" ''`, ['a', '', '']],
    [
      `a $PORT0 $${'{PORT0}'}x "$PORT0" '$PORT0' \\$PORT0`,
      ['a', '31000', '31000x', '31000', '$PORT0', '$PORT0'],
    ],
    ['a $TWO "$TWO"', ['a', 'a', 'b', 'a  b']],
    ['a $NONE $EMPTY "$NONE"', ['a', '']],
    ['a b#c', ['a', 'b#c']],
    ['a --x=*.log b?', ['a', '--x=*.log', 'b?']],
    [`sh -c 'x | y; z > f & \`d\` $(e)'`, ['sh', '-c', 'x | y; z > f & `d` $(e)']],
    ['a "b;c|d#e"', ['a', 'b;c|d#e']],
    ['a $ "$"', ['a', '$', '$']],
    ['', []],
  ])('%j', (command, words) => {
    expect(splitCommand(command, ENV)).toEqual({ words });
  });

  it.each([
    ['a | b', 'has |'],
    ['a; b', 'has ;'],
    ['a > f', 'has >'],
    ['a && b', 'has &&'],
    ['a $(b)', 'has $('],
    ['a `b`', 'has `'],
    ['a "`b`"', 'has `'],
    ['a # b', 'has #'],
    ['# b', 'has #'],
    ['a $$', 'has $$'],
    ['a $1', 'has $1'],
    [`a $${'{X:-y}'}`, `has $${'{'}`],
    ["a 'b", "has a ' that is never closed"],
    ['a "b', 'has a " that is never closed'],
    ['a \\', 'ends in a backslash'],
    ['a\nb', 'has several lines'],
  ])('%j is rejected, because it needs a shell or is malformed', (command, problem) => {
    expect(splitCommand(command, ENV)).toMatchObject({ problem: expect.stringContaining(problem) });
  });

  it('agrees with a real shell whenever it returns words', () => {
    const part = fc.constantFrom(
      'a',
      'b1',
      ' ',
      '  ',
      "'",
      '"',
      '\\',
      '$PORT0',
      `$${'{PORT0}'}`,
      '$TWO',
      '$NONE',
      '#',
      '=',
      '-',
      ':',
      '/',
    );
    const commands = fc.sample(
      fc.array(part, { maxLength: 10 }).map((parts) => parts.join('')),
      { seed: 7, numRuns: runs(400) },
    );
    const split = commands
      .map((command) => ({ command, result: splitCommand(command, ENV) }))
      .flatMap(({ command, result }) => ('words' in result ? [{ command, words: result.words }] : []));
    expect(split.length).toBeGreaterThan(50);
    const script = split
      .map(({ command }) => `set -- x ${command.trim()}\nshift; for w; do printf '<%s>' "$w"; done; echo`)
      .join('\n');
    const shell = execFileSync('/bin/sh', ['-f', '-c', script], { env: ENV, encoding: 'utf8' }).split('\n');
    const ours = split.map(({ words }) => words.map((word) => `<${word}>`).join(''));
    expect(ours.map((line, i) => [split[i]?.command, line])).toEqual(
      ours.map((_, i) => [split[i]?.command, shell[i]]),
    );
  });
});
