import { expect, test } from 'vitest';
import { parseTargets, sourcesList, suitesOf, upstreamNames } from './machine-apt.ts';

const TARGETS = [
  'http://one.example/debian/|bookworm|main|Debian',
  'http://one.example/debian/|bookworm|contrib|Debian',
  'http://one.example/debian/|bookworm|main|Debian',
  'http://two.example/security/debian/|bookworm-security|main|Debian',
  'http://one.example/debian/|trixie|main|Debian',
  'http://other.example/debian/|bookworm|main|Someone',
  'http://other.example/plain/|||',
  '',
].join('\n');

test('ignores other repositories and other releases of the machine’s distribution', () => {
  expect(parseTargets('bookworm', TARGETS)).toEqual([
    { uri: 'http://one.example/debian', suite: 'bookworm', components: ['main', 'contrib'] },
    { uri: 'http://two.example/security/debian', suite: 'bookworm-security', components: ['main'] },
  ]);
});

test('hosts use the lab’s mirror, with a separate path for each upstream', () => {
  const suites = parseTargets('bookworm', TARGETS);
  expect(sourcesList(suites, upstreamNames(suites), 'http://10.99.0.1:8000')).toBe(
    'deb http://10.99.0.1:8000/debian bookworm main contrib\n' +
      'deb http://10.99.0.1:8000/debian-2 bookworm-security main\n',
  );
});

test('another release has the suites of this one, on the same mirrors and under the same paths', () => {
  const suites = parseTargets('bookworm', TARGETS);
  const [, security] = suitesOf({ codename: 'bookworm', suites }, 'trixie');
  expect(sourcesList(security ? [security] : [], upstreamNames(suites), 'http://10.99.0.1:8000')).toBe(
    'deb http://10.99.0.1:8000/debian-2 trixie-security main\n',
  );
});
