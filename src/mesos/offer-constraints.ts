/**
 * What offer constraints let through. Source: src/master/allocator/mesos/offer_constraints_filter.cpp of Mesos 1.11.
 */

import type {
  AttributeConstraint,
  AttributePredicate,
  AttributeSelector,
  Offer,
  OfferConstraints,
} from './types.ts';

/** As offers and agents have it. */
export type Described = Pick<Offer, 'hostname' | 'attributes' | 'domain'>;

/** Whether an agent is offered for a role. @throws SyntaxError where a pattern can't be read */
export function letsThrough(
  { role_constraints = {} }: OfferConstraints,
  role: string,
  agent: Described,
): boolean {
  const groups = Object.hasOwn(role_constraints, role) ? role_constraints[role]?.groups : undefined;
  return (
    !groups ||
    groups.some(({ attribute_constraints }) => attribute_constraints.every((one) => holds(one, agent)))
  );
}

function holds({ selector, predicate }: AttributeConstraint, agent: Described): boolean {
  const found = selected(selector, agent);
  if ('exists' in predicate) return found !== undefined;
  if ('not_exists' in predicate) return found === undefined;
  const positive = 'text_equals' in predicate || 'text_matches' in predicate;
  if (found === undefined) return !positive;
  return found === NO_TEXT || isText(predicate, found) === positive;
}

const NO_TEXT = Symbol('an attribute that is no text');

function selected(selector: AttributeSelector, agent: Described): string | typeof NO_TEXT | undefined {
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

/** What the predicate says, or what it denies. */
function isText(predicate: AttributePredicate, text: string): boolean {
  if ('text_equals' in predicate) return text === predicate.text_equals.value;
  if ('text_not_equals' in predicate) return text === predicate.text_not_equals.value;
  if ('text_matches' in predicate) return wholeRe2(predicate.text_matches.regex).test(text);
  return 'text_not_matches' in predicate && wholeRe2(predicate.text_not_matches.regex).test(text);
}

/**
 * A pattern of RE2's as one of JavaScript's that matches the whole of a text, as far as the two have the same syntax:
 * RE2's dot is anything but a line feed, its `\C` any byte, and any punctuation may be escaped.
 * @throws SyntaxError
 */
export function wholeRe2(regex: string): RegExp {
  const translated = regex.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|\./gsu, (part) => {
    if (part === '.') return '[^\\n]';
    if (part === '\\C') return '[^]';
    return /^\\[ _:@~"'<>=!#%&,;`-]$/.test(part) ? part.slice(1) : part;
  });
  return new RegExp(`^(?:${translated})$`, 'u');
}
