/**
 * Evaluates offer constraints. Source: src/master/allocator/mesos/offer_constraints_filter.cpp of Mesos 1.11.
 */

import type {
  AttributeConstraint,
  AttributePredicate,
  AttributeSelector,
  Offer,
  OfferConstraints,
} from './types.ts';

/** The properties that constraints refer to; offers and agents both have them. */
export type AgentDescription = Pick<Offer, 'hostname' | 'attributes' | 'domain'>;

/** True if the constraints allow offers of an agent to a role. @throws SyntaxError for an invalid pattern */
export function passesConstraints(
  { role_constraints = {} }: OfferConstraints,
  role: string,
  agent: AgentDescription,
): boolean {
  const groups = Object.hasOwn(role_constraints, role) ? role_constraints[role]?.groups : undefined;
  return (
    !groups ||
    groups.some(({ attribute_constraints }) => attribute_constraints.every((one) => isSatisfied(one, agent)))
  );
}

function isSatisfied({ selector, predicate }: AttributeConstraint, agent: AgentDescription): boolean {
  const found = readSelected(selector, agent);
  if ('exists' in predicate) return found !== undefined;
  if ('not_exists' in predicate) return found === undefined;
  const positive = 'text_equals' in predicate || 'text_matches' in predicate;
  if (found === undefined) return !positive;
  return found === NO_TEXT || textMatches(predicate, found) === positive;
}

const NO_TEXT = Symbol('an attribute that is not text');

function readSelected(
  selector: AttributeSelector,
  agent: AgentDescription,
): string | typeof NO_TEXT | undefined {
  if ('attribute_name' in selector) {
    const attribute = agent.attributes?.find(({ name }) => name === selector.attribute_name);
    return attribute && (attribute.type === 'TEXT' ? (attribute.text?.value ?? '') : NO_TEXT);
  }
  const domain = agent.domain?.fault_domain;
  switch (selector.pseudoattribute_type) {
    case 'HOSTNAME':
      return agent.hostname;
    case 'REGION':
      return domain?.region.name;
    case 'ZONE':
      return domain?.zone.name;
  }
}

/** Evaluates the predicate on text, without the negation of a `not` predicate. */
function textMatches(predicate: AttributePredicate, text: string): boolean {
  if ('text_equals' in predicate) return text === predicate.text_equals.value;
  if ('text_not_equals' in predicate) return text === predicate.text_not_equals.value;
  if ('text_matches' in predicate) return compileRe2(predicate.text_matches.regex).test(text);
  return 'text_not_matches' in predicate && compileRe2(predicate.text_not_matches.regex).test(text);
}

/**
 * Converts an RE2 pattern into a JavaScript pattern that must match the complete text, as far as both have the same
 * syntax: RE2's dot matches everything except a line feed, its `\C` any byte, and any punctuation may be escaped.
 * @throws SyntaxError
 */
export function compileRe2(regex: string): RegExp {
  const translated = regex.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|\./gsu, (part) => {
    if (part === '.') return '[^\\n]';
    if (part === '\\C') return '[^]';
    return /^\\[ _:@~"'<>=!#%&,;`-]$/.test(part) ? part.slice(1) : part;
  });
  return new RegExp(`^(?:${translated})$`, 'u');
}
