/** Validates offer constraints. Source: offer_constraints_filter.cpp and validation.cpp of Mesos 1.11. */

import { compileRe2 } from '../../mesos/offer-constraints.ts';
import type { AttributeConstraint, OfferConstraints } from '../../mesos/types.ts';

/** The default of `--offer_constraints_re2_max_program_size`. */
const MAX_PROGRAM_SIZE = 100;

/** Returns the problem of a framework's offer constraints, in Mesos' words. */
export function constraintsProblem(
  roles: readonly string[],
  { role_constraints = {} }: OfferConstraints,
): string | undefined {
  for (const role of Object.keys(role_constraints)) {
    if (roles.includes(role)) continue;
    return `Offer constraints specify \`role_constraints\` for a role '${role}'not contained in the set of roles`;
  }
  for (const [role, { groups = [] }] of Object.entries(role_constraints)) {
    const problem = groupsProblem(role, groups);
    if (problem !== undefined) return `Offer constraints are not valid: ${problem}`;
  }
  return undefined;
}

function groupsProblem(
  role: string,
  groups: readonly { attribute_constraints?: AttributeConstraint[] }[],
): string | undefined {
  if (groups.length === 0) {
    return `'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role ${role}`;
  }
  for (const { attribute_constraints = [] } of groups) {
    if (attribute_constraints.length === 0) {
      return `'OfferConstraints::RoleConstraints::groups' for role ${role}contains an empty RoleConstraints::Group`;
    }
    for (const one of attribute_constraints) {
      const problem = constraintProblem(one);
      if (problem !== undefined) return `A role ${role} has an invalid 'AttributeConstraint': ${problem}`;
    }
  }
  return undefined;
}

function constraintProblem({ selector, predicate }: AttributeConstraint): string | undefined {
  if ('pseudoattribute_type' in selector) {
    const known = ['HOSTNAME', 'REGION', 'ZONE'].includes(selector.pseudoattribute_type);
    if (!known) return 'Unknown pseudoattribute type';
  } else if (!('attribute_name' in selector)) {
    return (
      "Exactly one of 'AttributeConstraint::Selector::name' or" +
      " 'AttributeConstraint::Selector::pseudoattribute_type' must be set"
    );
  }
  if (Object.keys(predicate).length === 0) return 'Unknown predicate type';
  if ('text_matches' in predicate) return regexProblem(predicate.text_matches.regex);
  if ('text_not_matches' in predicate) return regexProblem(predicate.text_not_matches.regex);
  return undefined;
}

/**
 * Validates a pattern. JavaScript's engine matches the patterns, so only syntax with the same meaning in RE2 is accepted.
 * The size of RE2's program for a pattern is unknown here; its length is used instead.
 */
function regexProblem(regex: string): string | undefined {
  const unsupported = /\(\?(?:[=!]|<[=!])|\\(?:[1-9]|k)/.exec(regex)?.[0];
  let problem = unsupported && `invalid perl operator: ${unsupported}`;
  try {
    compileRe2(regex);
  } catch {
    problem ??= 'invalid syntax';
  }
  if (problem) return `Failed to construct regex from pattern '${regex}': ${problem}`;
  if (regex.length <= MAX_PROGRAM_SIZE) return undefined;
  return (
    `Regex '${regex}' is too complex: program size of ${regex.length} is larger than maximum of` +
    ` ${MAX_PROGRAM_SIZE} allowed`
  );
}
