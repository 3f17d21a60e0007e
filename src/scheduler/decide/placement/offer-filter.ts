/**
 * Offer constraints for the master: the constraints of waiting apps that can be checked for each agent on its own. They
 * must never hold back an offer that placement could use; in case of doubt a constraint, or all of them, is left out.
 */

import type { AttributeConstraint, AttributePredicate, OfferConstraints } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';
import { type Constraint, isNumber } from '../../domain/constraint.ts';
import { isResident } from '../../domain/residency.ts';
import type { State } from '../../domain/state.ts';
import { toRe2 } from './re2.ts';

/** Limits for apps and groups: beyond them, almost every offer is useful for some app. */
const MAX_APPS = 1000;
const MAX_GROUPS = 50;

/** Requests all offers. */
export const NO_CONSTRAINTS: OfferConstraints = {};

/** Builds the constraints of all apps that may launch now: one group for each set of constraints. */
export function offerConstraintsOf(
  state: Pick<State, 'apps' | 'ready' | 'settings' | 'leaving'>,
): OfferConstraints {
  // Reserved resources may be on any agent.
  if (state.leaving.size > 0) return NO_CONSTRAINTS;
  if (state.ready.size > MAX_APPS) return NO_CONSTRAINTS;
  const groups = new Map<string, AttributeConstraint[]>();
  for (const id of state.ready) {
    const { active, offerCounts } = state.apps.get(id) ?? {};
    if (!active) continue;
    // Each app sees unfiltered offers once, to record why it is waiting.
    const { group, text } = offerCounts && !isResident(active) ? groupOf(active) : NO_GROUP;
    if (group.length === 0) return NO_CONSTRAINTS;
    groups.set(text, group);
    if (groups.size > MAX_GROUPS) return NO_CONSTRAINTS;
  }
  if (groups.size === 0) return NO_CONSTRAINTS;
  // Sorted, so that equal sets have equal texts.
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    role_constraints: {
      [state.settings.role]: {
        groups: inOrder.map(([, attribute_constraints]) => ({ attribute_constraints })),
      },
    },
  };
}

export function isSame(a: OfferConstraints, b: OfferConstraints): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** True if `before` lets every offer through that `next` does, because it contains all of its groups. */
export function isNarrower(next: OfferConstraints, before: OfferConstraints, role: string): boolean {
  const old = before.role_constraints?.[role]?.groups;
  const groups = next.role_constraints?.[role]?.groups;
  if (!old || !groups) return !old;
  const known = new Set(old.map((group) => JSON.stringify(group)));
  return groups.every((group) => known.has(JSON.stringify(group)));
}

interface Group {
  readonly group: AttributeConstraint[];
  readonly text: string;
}

const NO_GROUP: Group = { group: [], text: '[]' };

/** Cached by definition, since all waiting apps are evaluated at every change of demand. */
const cachedGroups = new WeakMap<App, Group>();

function groupOf(app: App): Group {
  const known = cachedGroups.get(app);
  if (known) return known;
  const group = constraintsOf(app);
  const fresh = { group, text: JSON.stringify(group) };
  cachedGroups.set(app, fresh);
  return fresh;
}

/** Translates constraints; those that every agent satisfies are left out. */
function constraintsOf({ constraints }: App): AttributeConstraint[] {
  const byText = new Map<string, AttributeConstraint>();
  for (const constraint of constraints) {
    const selector = selectorOf(constraint[0]);
    const predicate = selector && predicateOf(constraint);
    if (!predicate) continue;
    const isHostname = 'pseudoattribute_type' in selector && selector.pseudoattribute_type === 'HOSTNAME';
    if (isHostname && 'exists' in predicate) continue;
    const one = { selector, predicate };
    byText.set(JSON.stringify(one), one);
  }
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function selectorOf(field: string): AttributeConstraint['selector'] | undefined {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return { pseudoattribute_type: 'HOSTNAME' };
    case '@region':
      return { pseudoattribute_type: 'REGION' };
    case '@zone':
      return { pseudoattribute_type: 'ZONE' };
    default:
      return field !== '' && isPlain(field) ? { attribute_name: field } : undefined;
  }
}

const EXISTS: AttributePredicate = { exists: {} };

/** Mesos' text predicates let attributes of other types pass; placement checks those itself. */
function predicateOf([, operator, value = '']: Constraint): AttributePredicate | undefined {
  switch (operator) {
    case 'UNIQUE':
    case 'MAX_PER':
    case 'GROUP_BY':
      return EXISTS;
    case 'IS':
      // Equal numbers may be written differently.
      return isPlain(value) && !isNumber(value) ? { text_equals: { value } } : EXISTS;
    case 'CLUSTER':
      return value !== '' && isPlain(value) ? { text_equals: { value } } : EXISTS;
    case 'LIKE': {
      const found = toRe2(operator, value);
      if (!found) return EXISTS;
      const { regex, text } = found;
      return text === undefined ? { text_matches: { regex } } : { text_equals: { value: text } };
    }
    case 'UNLIKE': {
      const found = toRe2(operator, value);
      if (!found) return undefined;
      const { regex, text } = found;
      return text === undefined ? { text_not_matches: { regex } } : { text_not_equals: { value: text } };
    }
  }
}

/** True for printable ASCII, which every JSON implementation reads and writes in the same way. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}
