import '../linear-patterns.ts';
import { describe, expect, it } from 'vitest';
import { appSchema } from './app-schema.ts';
import { fieldErrors } from './field-errors.ts';

function errors(constraints: unknown, more: Record<string, unknown> = {}): string[] {
  const result = appSchema.safeParse({ id: '/x', cmd: 'y', instances: 2, constraints, ...more });
  return result.success
    ? []
    : fieldErrors(result.error).map(({ path, error }) => `${path.join('/')} ${error}`);
}

describe('constraints that no cluster can satisfy', () => {
  it.each([
    [
      [
        ['rack', 'IS', 'a'],
        ['rack', 'IS', 'b'],
      ],
      "constraints/1 can't be met: rack can't be a and b",
    ],
    [
      [
        ['rack', 'CLUSTER', 'a'],
        ['rack', 'IS', 'b'],
      ],
      "constraints/1 can't be met: rack can't be a and b",
    ],
    [
      [
        ['rack', 'LIKE', 'a.'],
        ['rack', 'IS', 'b'],
      ],
      "constraints/1 can't be met: rack must be b, which contradicts LIKE a.",
    ],
    [
      [
        ['rack', 'IS', 'b'],
        ['rack', 'UNLIKE', '.'],
      ],
      "constraints/1 can't be met: rack must be b, which contradicts UNLIKE .",
    ],
    [
      [
        ['rack', 'CLUSTER', 'a'],
        ['rack', 'UNIQUE'],
      ],
      /^constraints\/1 can't be met: rack UNIQUE .* allow at most 1 /,
    ],
    [
      [
        ['rack', 'UNIQUE'],
        ['rack', 'CLUSTER'],
      ],
      /^constraints\/0 can't be met: rack UNIQUE .* allow at most 1 /,
    ],
    [
      [
        ['rack', 'IS', 'a'],
        ['rack', 'MAX_PER', '1'],
      ],
      /MAX_PER 1 .* allow at most 1 instances, but 2 are wanted/,
    ],
    [
      [
        ['rack', 'IS', 'a'],
        ['rack', 'GROUP_BY', '3'],
      ],
      /GROUP_BY 3 .* allow at most 1 /,
    ],
  ])('%j are rejected with the app', (constraints, expected) => {
    const found = errors(constraints);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it.each([
    [
      [
        ['size', 'IS', '2'],
        ['size', 'CLUSTER', '2.0'],
      ],
    ],
    [
      [
        ['rack', 'LIKE', 'a.'],
        ['rack', 'IS', 'ab'],
      ],
    ],
    [
      [
        ['rack', 'IS', 'a'],
        ['rack', 'MAX_PER', '2'],
      ],
    ],
    [
      [
        ['rack', 'IS', 'a'],
        ['rack', 'GROUP_BY'],
      ],
    ],
    [
      [
        ['rack', 'IS', 'a'],
        ['row', 'UNIQUE'],
      ],
    ],
    [
      [
        ['rack', 'UNIQUE'],
        ['rack', 'GROUP_BY', '9'],
      ],
    ],
  ])('do not include %j', (constraints) => {
    expect(errors(constraints)).toEqual([]);
  });

  it('depend on the number of instances, which a daemon does not have', () => {
    const one = [
      ['rack', 'CLUSTER'],
      ['rack', 'UNIQUE'],
    ];
    expect(errors(one, { instances: 1 })).toEqual([]);
    expect(errors(one, { mode: 'daemon' })).toEqual([]);
  });
});

it.each([
  [['rack', 'MAX_PER'], 'MAX_PER needs'],
  [['rack', 'MAX_PER', '0'], 'MAX_PER needs'],
  [['rack', 'GROUP_BY', 'x'], 'GROUP_BY takes'],
  [['rack', 'IS'], 'IS needs'],
  [['rack', 'LIKE'], 'LIKE needs'],
  [['rack', 'LIKE', '('], 'LIKE has a pattern'],
  [['rack', 'SAME'], 'unknown operator'],
  [['rack'], 'must be [field, operator, value]'],
])('%j has an invalid value', (constraint, expected) => {
  expect(errors([constraint]).join()).toContain(expected);
});
