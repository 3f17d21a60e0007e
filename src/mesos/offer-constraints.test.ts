import { describe, expect, it } from 'vitest';
import { type AgentDescription, compileRe2, passesConstraints } from './offer-constraints.ts';
import type { AttributePredicate, AttributeSelector } from './types.ts';

const AGENT: AgentDescription = {
  hostname: 'h1',
  attributes: [
    { name: 'rack', type: 'TEXT', text: { value: 'a' } },
    { name: 'rack', type: 'TEXT', text: { value: 'b' } },
    { name: 'level', type: 'SCALAR', scalar: { value: 3 } },
  ],
  domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
};

function holds(selector: AttributeSelector, predicate: AttributePredicate, agent = AGENT): boolean {
  const groups = [{ attribute_constraints: [{ selector, predicate }] }];
  return passesConstraints({ role_constraints: { '*': { groups } } }, '*', agent);
}

const rack = { attribute_name: 'rack' };
const level = { attribute_name: 'level' };
const none = { attribute_name: 'none' };

describe('a constraint', () => {
  it.each<[AttributePredicate, boolean, boolean, boolean]>([
    // The results for text, a scalar, and a missing attribute.
    [{ exists: {} }, true, true, false],
    [{ not_exists: {} }, false, false, true],
    [{ text_equals: { value: 'a' } }, true, true, false],
    [{ text_equals: { value: 'b' } }, false, true, false],
    [{ text_not_equals: { value: 'a' } }, false, true, true],
    [{ text_matches: { regex: 'a|c' } }, true, true, false],
    [{ text_matches: { regex: '' } }, false, true, false],
    [{ text_not_matches: { regex: 'a|c' } }, false, true, true],
    [{ text_not_matches: { regex: 'aa' } }, true, true, true],
  ])('%j', (predicate, ofText, ofScalar, ofNothing) => {
    expect(holds(rack, predicate)).toBe(ofText);
    expect(holds(level, predicate)).toBe(ofScalar);
    expect(holds(none, predicate)).toBe(ofNothing);
  });

  it('may refer to the host name, the region and the zone', () => {
    const text_equals = (value: string) => ({ text_equals: { value } });
    expect(holds({ pseudoattribute_type: 'HOSTNAME' }, text_equals('h1'))).toBe(true);
    expect(holds({ pseudoattribute_type: 'REGION' }, text_equals('eu'))).toBe(true);
    expect(holds({ pseudoattribute_type: 'ZONE' }, text_equals('eu-1'))).toBe(true);
    expect(holds({ pseudoattribute_type: 'ZONE' }, { exists: {} }, { hostname: 'h' })).toBe(false);
  });
});

it('one group with all of its constraints must match, and other roles are not restricted', () => {
  const is = (selector: AttributeSelector, value: string) => ({
    selector,
    predicate: { text_equals: { value } },
  });
  const host: AttributeSelector = { pseudoattribute_type: 'HOSTNAME' };
  const role = (...groups: ReturnType<typeof is>[][]) => ({
    role_constraints: {
      eng: { groups: groups.map((attribute_constraints) => ({ attribute_constraints })) },
    },
  });
  expect(passesConstraints(role([is(rack, 'a'), is(host, 'h2')]), 'eng', AGENT)).toBe(false);
  expect(passesConstraints(role([is(rack, 'a'), is(host, 'h2')], [is(host, 'h1')]), 'eng', AGENT)).toBe(true);
  expect(passesConstraints(role([is(rack, 'c')]), 'ops', AGENT)).toBe(true);
  expect(passesConstraints({}, 'eng', AGENT)).toBe(true);
});

it("reads RE2's patterns", () => {
  expect(compileRe2('a.c').test('a\rc')).toBe(true);
  expect(compileRe2('a.c').test('a\nc')).toBe(false);
  expect(compileRe2('a.c').test('a😀c')).toBe(true);
  expect(compileRe2('\\C*').test('a\n😀')).toBe(true);
  expect(compileRe2('a\\-b\\.c[.]d').test('a-b.c.d')).toBe(true);
  expect(compileRe2('a\\-b\\.c[.]d').test('a-bxcxd')).toBe(false);
  expect(() => compileRe2('(')).toThrow(SyntaxError);
});
