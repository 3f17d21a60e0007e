import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KNOWN_OPTIONS, optionWords, parseOptions } from './docker-options.ts';

function normalized(words: readonly string[]): readonly string[] | string {
  const parsed = parseOptions(words);
  return 'problem' in parsed ? parsed.problem : optionWords(parsed.options);
}

test.each([
  [
    ['-v', '/data:/data', '--rm'],
    ['--volume=/data:/data', '--rm=true'],
  ],
  [['-itv/:/x'], ['--interactive=true', '--tty=true', '--volume=/:/x']],
  [['-v=/:/x'], ['--volume=/:/x']],
  [['-i=false'], ['--interactive=false']],
  [['--volume', '--privileged'], ['--volume=--privileged']],
  [
    ['--label=a=b', '--label='],
    ['--label=a=b', '--label='],
  ],
  [['--env', 'A=two\nlines'], ['--env=A=two\nlines']],
  [['--env=A=two\nlines'], ['--env=A=two\nlines']],
  [
    ['--net', 'host', '--dns-opt=x'],
    ['--network=host', '--dns-option=x'],
  ],
  [
    ['--from-later-docker=x', '--other', 'y', '--third'],
    ['--from-later-docker=x', '--other=y', '--third'],
  ],
])('reads %j as the docker program does', (words, expected) => {
  expect(normalized(words)).toEqual(expected);
});

test.each([
  [['--privileged', 'true'], /"true" is neither an option nor a value/],
  [['--', 'image'], /"--" is not an option/],
  [['-'], /"-" is neither/],
  [[''], /"" is neither/],
  [['--=x'], /"--=x" is not an option/],
  [['---privileged'], /is not an option/],
  [['--Privileged'], /is not an option/],
  [['--privileged\n'], /is not an option/],
  [['-z'], /"-z" in "-z" is not an option/],
  [['-iz'], /"-z" in "-iz" is not an option/],
  [['--volume'], /"--volume" has no value/],
  [['-iv'], /"-iv" has no value/],
  [['--env=A=\0'], /NUL/],
  [['--env', 'A=\0'], /NUL/],
])('refuses %j', (words, problem) => {
  expect(normalized(words)).toMatch(problem);
});

test('every word that it writes is one option, and is read back as the same option', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom('-', '=', 'v', 'i', 'p', 'e', '/', ' ', 'net'), maxLength: 8 }),
    fc.constantFrom('--privileged', '--volume', '-v', '--net=host', '--rm', 'true', '--init=false'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const parsed = parseOptions(words);
      if ('problem' in parsed) return;
      const written = optionWords(parsed.options);
      expect(parseOptions(written)).toEqual(parsed);
      for (const [i, { name }] of parsed.options.entries()) {
        expect(written[i]).toMatch(new RegExp(`^--${name}(=|$)`));
        if (KNOWN_OPTIONS.includes(name)) expect(parsed.options[i]?.value).toBeDefined();
      }
    }),
  );
});
