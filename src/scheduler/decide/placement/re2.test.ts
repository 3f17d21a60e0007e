import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRe2 } from '../../../mesos/offer-constraints.ts';
import { fullMatcher } from '../../domain/constraint.ts';
import { toRe2 } from './re2.ts';

describe('a pattern for the master', () => {
  it.each([
    ['rack-1', { regex: 'rack-1', text: 'rack-1' }],
    ['', { regex: '', text: '' }],
    ['web\\.example\\-1\\/x', { regex: 'web\\.example-1/x', text: 'web.example-1/x' }],
    ['a|b', { regex: 'a|b' }],
    ['(rack|row)-[0-9a]+', { regex: '(?:rack|row)-[0-9a]+' }],
    ['(?:\\d|x)??', { regex: '(?:[0-9]|x)?' }],
  ])('%s is the same for both operators', (pattern, wanted) => {
    expect(toRe2('LIKE', pattern)).toEqual(wanted);
    expect(toRe2('UNLIKE', pattern)).toEqual(wanted);
  });

  it('contains no dots', () => {
    expect(toRe2('LIKE', 'a.b.*?c')).toEqual({ regex: 'a\\C*b\\C*c' });
    expect(toRe2('UNLIKE', 'a.b.*?c')).toEqual({ regex: 'a[ -~]b[ -~]*c' });
  });

  it.each(['a{2}', '^a', 'a$', '[^a]', '\\s', '(?=a)', '(?<n>a)', 'é', '(a)\\1', '[z', 'a\\b'])(
    'does not exist for %s',
    (pattern) => {
      expect(toRe2('LIKE', pattern)).toBeUndefined();
      expect(toRe2('UNLIKE', pattern)).toBeUndefined();
    },
  );

  it('is no larger than the master allows', () => {
    expect(toRe2('LIKE', `${'a'.repeat(22)}|b`)).toBeDefined();
    expect(toRe2('LIKE', `${'a'.repeat(23)}|b`)).toBeUndefined();
    expect(toRe2('LIKE', 'a'.repeat(200))?.text).toHaveLength(200);
  });
});

const atom = fc.constantFrom('a', 'b', '.', '\\.', '-', '[a-c]', '[b.]', '\\d', '\\w', '_', '1', '');
const pattern = fc.letrec<{ any: string; all: string }>((tie) => ({
  any: fc.array(tie('all'), { minLength: 1, maxLength: 2 }).map((parts) => parts.join('|')),
  all: fc
    .array(
      fc
        .tuple(
          fc.oneof(
            { weight: 4, arbitrary: atom },
            tie('any').map((one) => `(${one})`),
          ),
          fc.constantFrom('', '', '*', '+', '?', '*?', '+?'),
        )
        .map(([one, times]) => (one === '' ? '' : one + times)),
      { maxLength: 4 },
    )
    .map((parts) => parts.join('')),
})).any;
const text = fc.array(fc.constantFrom('a', 'b', 'c', '.', '-', '_', '1', 'é', '😀', '\r', '\n', '\u2028'), {
  maxLength: 5,
});

it('matches at least as much for LIKE, and at most as much for UNLIKE', () => {
  fc.assert(
    fc.property(pattern, text, (given, parts) => {
      const value = parts.join('');
      const ours = fullMatcher(given)(value);
      const [like, unlike] = [toRe2('LIKE', given), toRe2('UNLIKE', given)];
      if (like && ours) expect(value).toMatch(compileRe2(like.regex));
      if (unlike && !ours) expect(value).not.toMatch(compileRe2(unlike.regex));
      if (like?.text !== undefined) expect(value === like.text).toBe(ours);
    }),
  );
});
