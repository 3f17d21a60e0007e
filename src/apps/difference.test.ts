import { expect, it } from 'vitest';
import { differencesOf, differenceText } from './difference.ts';

const text = (before: object, after: object) =>
  differencesOf({ ...before }, { ...after }).map(differenceText);

it('names each field that differs, with both values', () => {
  const before = {
    id: '/web',
    version: '1',
    instances: 2,
    cmd: 'old',
    container: { docker: { image: 'a:1', privileged: false } },
    healthChecks: [{ path: '/', port: 1 }, { path: '/x' }],
    args: ['a'],
  };
  const after = {
    id: '/web',
    version: '2',
    instances: 3,
    container: { docker: { image: 'a:2', privileged: false } },
    healthChecks: [{ path: '/health', port: 1 }],
    args: ['a', 'b'],
    labels: { tier: 'web' },
  };
  expect(text(before, after)).toEqual([
    '~ args: ["a"] → ["a","b"]',
    '- cmd: old',
    '~ container.docker.image: a:1 → a:2',
    '~ healthChecks[0].path: / → /health',
    '- healthChecks[1]: {"path":"/x"}',
    '~ instances: 2 → 3',
    '+ labels.tier: web',
  ]);
  expect(text(after, { ...after, version: '3' })).toEqual([]);
});

it('shows no value of an environment variable', () => {
  expect(text({ env: { A: 's3cret', B: 'b' } }, { env: { A: 's3cret2', C: 's3cret' } })).toEqual([
    '~ env.A: another value',
    '- env.B: (a value)',
    '+ env.C: (a value)',
  ]);
  expect(text({}, { env: { A: 's3cret' } })).toEqual(['+ env.A: (a value)']);
  expect(text({ env: { A: 's3cret' } }, {})).toEqual(['- env: A']);
});

it('shows control characters, and shortens long values', () => {
  const [line = ''] = text({}, { cmd: `\u001b[2J${'x'.repeat(500)}` });
  expect(line).toMatch(/^\+ cmd: \\x1b\[2Jx+…$/);
  expect(line.length).toBeLessThan(140);
  expect(text({}, { labels: { 'a\u001b[2J': 'x' } })).toEqual(['+ labels.a\\x1b[2J: x']);
  expect(text({ env: { 'a\u001b[2J': 'x' } }, {})).toEqual(['- env: a\\x1b[2J']);
});
