import { expect, test } from 'vitest';
import { parsePreferences, pinsOf } from './apt-preferences.ts';

const TEXT = `# mine
Explanation: keep them away
Package: *
Pin: release a=testing
Pin-Priority: -10

Package: docker.io
  docker-ce*
Pin: version *
Pin-Priority: -1

Package: /^lib(atomic|stdc)/ runc:any
Pin: origin ""
Pin-Priority: 1001

Package: half
`;
const pins = parsePreferences('/etc/apt/preferences.d/x', TEXT);
const priorities = (name: string) => pinsOf(name, pins).map(({ priority }) => priority);

test.each([
  ['docker.io', [-1, -10]],
  ['docker-ce-cli', [-1, -10]],
  ['dockerxio', [-10]],
  ['libatomic1', [1001, -10]],
  ['runc', [1001, -10]],
  ['half', [-10]],
])('lists the pins that match %s, followed by the pins for all packages', (name, expected) => {
  expect(priorities(name)).toEqual(expected);
});

test('ignores a pattern that is not a valid regular expression', () => {
  const [pin] = parsePreferences('x', 'Package: /(/\nPin: release *\nPin-Priority: -1\n');
  expect(pinsOf('a', pin ? [pin] : [])).toEqual([]);
});
