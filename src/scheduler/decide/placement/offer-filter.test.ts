import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../linear-patterns.ts';
import { appV2, settings } from '../../../../test/scheduler/fixtures.ts';
import { passesConstraints } from '../../../mesos/offer-constraints.ts';
import type { Attribute, AttributeConstraint, Offer, OfferConstraints } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';
import { constraintSchema } from '../../domain/constraint.ts';
import { evolve } from '../../domain/evolve.ts';
import { createState, type State } from '../../domain/state.ts';
import { isNarrower, isSame, NO_CONSTRAINTS, offerConstraintsOf } from './offer-filter.ts';
import { handleOffers } from './offers.ts';

type Given = readonly string[];

/** The state of a scheduler with these waiting apps, which have seen offers. */
function waiting(...apps: App[]): State {
  const state = createState(settings());
  for (const app of apps) {
    const { version } = app;
    evolve(state, {
      type: 'app_restored',
      record: {
        versions: [app],
        active: app,
        run: 1 + state.runs,
        changedAt: Date.parse(version),
        launches: 0,
        succeeded: 0,
        frozen: false,
      },
    });
    evolve(state, {
      type: 'offers_weighed',
      appId: app.id,
      processed: 1,
      refused: new Map(),
      used: false,
      at: 0,
    });
  }
  return state;
}

let serial = 0;
function constrained(...constraints: Given[]): App {
  serial += 1;
  return appV2({ id: `/app-${serial}`, instances: 2, cpus: 0.1, constraints });
}

function groupsFor(...apps: App[]): AttributeConstraint[][] | undefined {
  const { role_constraints } = offerConstraintsOf(waiting(...apps));
  return role_constraints?.['*']?.groups.map(({ attribute_constraints }) => attribute_constraints);
}

describe('the constraint', () => {
  const rack = { attribute_name: 'rack' };
  it.each<[Given, AttributeConstraint['predicate'] | undefined]>([
    [['rack', 'IS', 'a'], { text_equals: { value: 'a' } }],
    [['rack', 'IS', '1'], { exists: {} }],
    [['rack', 'IS', 'é'], { exists: {} }],
    [['rack', 'CLUSTER', 'a'], { text_equals: { value: 'a' } }],
    [['rack', 'CLUSTER', '1'], { text_equals: { value: '1' } }],
    [['rack', 'CLUSTER'], { exists: {} }],
    [['rack', 'CLUSTER', ''], { exists: {} }],
    [['rack', 'UNIQUE'], { exists: {} }],
    [['rack', 'GROUP_BY', '2'], { exists: {} }],
    [['rack', 'MAX_PER', '2'], { exists: {} }],
    [['rack', 'LIKE', 'a\\.b'], { text_equals: { value: 'a.b' } }],
    [['rack', 'LIKE', 'a|b'], { text_matches: { regex: 'a|b' } }],
    [['rack', 'LIKE', '[^a]'], { exists: {} }],
    [['rack', 'UNLIKE', 'a'], { text_not_equals: { value: 'a' } }],
    [['rack', 'UNLIKE', 'a|b'], { text_not_matches: { regex: 'a|b' } }],
    [['rack', 'UNLIKE', '[^a]'], undefined],
  ])('%j becomes %j', (constraint, predicate) => {
    expect(groupsFor(constrained(constraint))).toEqual(predicate && [[{ selector: rack, predicate }]]);
  });

  it.each<[string, AttributeConstraint['selector'] | undefined]>([
    ['hostname', { pseudoattribute_type: 'HOSTNAME' }],
    ['@hostname', { pseudoattribute_type: 'HOSTNAME' }],
    ['@region', { pseudoattribute_type: 'REGION' }],
    ['@zone', { pseudoattribute_type: 'ZONE' }],
    ['räck', undefined],
    ['', undefined],
  ])('on %j selects %j', (field, selector) => {
    const predicate = { text_equals: { value: 'a' } };
    expect(groupsFor(constrained([field, 'IS', 'a']))).toEqual(selector && [[{ selector, predicate }]]);
  });

  it('that every host satisfies is left out', () => {
    expect(groupsFor(constrained(['hostname', 'UNIQUE']))).toBeUndefined();
    expect(groupsFor(constrained(['hostname', 'UNIQUE'], ['rack', 'IS', 'a']))).toHaveLength(1);
  });
});

describe('constraints', () => {
  const a = ['rack', 'IS', 'a'];
  const b = ['rack', 'IS', 'b'];

  it('form one group for each set, independent of the order', () => {
    const ssd = ['disk', 'LIKE', 'ssd'];
    const groups = groupsFor(constrained(a, ssd), constrained(ssd, a), constrained(b), constrained(b, b));
    expect(groups?.map((group) => group.length)).toEqual([2, 1]);
    expect(offerConstraintsOf(waiting(constrained(a), constrained(b)))).toEqual(
      offerConstraintsOf(waiting(constrained(b), constrained(a))),
    );
  });

  it('are empty if an app has none, no app is waiting, or there are too many', () => {
    expect(groupsFor(constrained(a), constrained())).toBeUndefined();
    expect(groupsFor()).toBeUndefined();
    const racks = (howMany: number) =>
      Array.from({ length: howMany }, (_, i) => constrained(['rack', 'IS', `r${i}`]));
    expect(groupsFor(...racks(50))).toHaveLength(50);
    expect(groupsFor(...racks(51))).toBeUndefined();
    const same = Array.from({ length: 1001 }, () => constrained(a));
    expect(groupsFor(...same)).toBeUndefined();
    expect(groupsFor(...same.slice(1))).toHaveLength(1);
  });

  it('are empty while an app has not seen an offer', () => {
    const state = waiting(constrained(a), constrained(b));
    for (const record of state.apps.values()) delete record.offerCounts;
    expect(offerConstraintsOf(state)).toEqual(NO_CONSTRAINTS);
  });

  it('leave out an app that its deployment has not reached yet', () => {
    const state = waiting(constrained(a));
    for (const record of state.apps.values()) delete record.active;
    expect(offerConstraintsOf(state)).toEqual(NO_CONSTRAINTS);
  });

  it('are compared', () => {
    const of = (...apps: App[]) => offerConstraintsOf(waiting(...apps));
    const [one, both] = [of(constrained(a)), of(constrained(a), constrained(b))];
    expect(isSame(one, of(constrained(a)))).toBe(true);
    expect(isSame(one, both)).toBe(false);
    const narrower: [OfferConstraints, OfferConstraints, boolean][] = [
      [one, both, true],
      [both, one, false],
      [one, NO_CONSTRAINTS, true],
      [NO_CONSTRAINTS, one, false],
      [NO_CONSTRAINTS, NO_CONSTRAINTS, true],
    ];
    for (const [next, before, is] of narrower) expect(isNarrower(next, before, '*')).toBe(is);
  });
});

const values = ['a', 'b', 'aa', '1', '1.0', 'a.b', 'é', '😀', ''] as const;
const fields = ['rack', 'level', 'hostname', '@zone', 'constructor'] as const;
const constraint: fc.Arbitrary<Given> = fc.oneof(
  fc.tuple(fc.constantFrom(...fields), fc.constantFrom('IS', 'CLUSTER'), fc.constantFrom(...values)),
  fc.tuple(
    fc.constantFrom(...fields),
    fc.constantFrom('LIKE', 'UNLIKE'),
    fc.constantFrom('a', 'a|b', 'a.*', '.*', '..', '[ab]+', '\\d.?\\d*', '[^a]', 'a\\.b', '', '(a|.)b?', '1'),
  ),
  fc.tuple(fc.constantFrom(...fields), fc.constantFrom('UNIQUE', 'GROUP_BY', 'CLUSTER')),
  fc.tuple(fc.constantFrom(...fields), fc.constant('MAX_PER'), fc.constant('1')),
);
const attribute: fc.Arbitrary<Omit<Attribute, 'name'>> = fc.oneof(
  fc.constantFrom(...values).map((value) => ({ type: 'TEXT' as const, text: { value } })),
  fc.constantFrom(1, 1.5).map((value) => ({ type: 'SCALAR' as const, scalar: { value } })),
  fc.constant(0).map(() => ({ type: 'RANGES' as const, ranges: { range: [{ begin: 1, end: 2 }] } })),
  fc.constant(0).map(() => ({ type: 'SET' as const, set: { item: ['a', 'b'] } })),
);
const agent = fc.record({
  hostname: fc.constantFrom('a', 'a.b', 'b'),
  attributes: fc.array(
    fc
      .tuple(fc.constantFrom('rack', 'level', 'constructor'), attribute)
      .map(([name, one]) => ({ name, ...one })),
    { maxLength: 3 },
  ),
  zone: fc.constantFrom(undefined, 'a', 'b'),
});

function offerOf(
  { hostname, attributes, zone }: typeof agent extends fc.Arbitrary<infer T> ? T : never,
  i: number,
) {
  const offer: Offer = {
    id: { value: `o${i}` },
    framework_id: { value: 'f' },
    agent_id: { value: `S${i}` },
    hostname,
    attributes,
    ...(zone !== undefined && { domain: { fault_domain: { region: { name: 'r' }, zone: { name: zone } } } }),
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 100 }] } },
    ],
  };
  return offer;
}

it('every offer that placement could use is let through', () => {
  let used = 0;
  let kept = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(constraint, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
      fc.array(agent, { minLength: 1, maxLength: 4 }),
      (apps, agents) => {
        // Without contradictory constraints, which the API refuses.
        const state = waiting(
          ...apps.map((given) => ({
            ...constrained(),
            constraints: given.map((one) => constraintSchema.parse(one)),
          })),
        );
        const constraints = offerConstraintsOf(state);
        for (const offer of agents.map(offerOf)) {
          const launched = handleOffers(state, [offer], 0).events.some(
            ({ type }) => type === 'task_launched',
          );
          const passes = passesConstraints(constraints, '*', offer);
          if (launched) expect(passes, JSON.stringify({ apps, offer, constraints })).toBe(true);
          if (launched) used += 1;
          if (!passes) kept += 1;
        }
      },
    ),
  );
  // Both happen, so the property is meaningful.
  expect(used).toBeGreaterThan(0);
  expect(kept).toBeGreaterThan(0);
});
