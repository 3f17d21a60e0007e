import { describe, expect, it } from 'vitest';
import { FakeMaster, frameworkInfo, MASTER_ID } from '../../../test/embedded/fake-master.ts';
import type { OfferConstraints } from '../../mesos/types.ts';
import { CallRefused } from '../wire/http.ts';
import { runAllocation } from './offers.ts';
import { validateCall } from './scheduler-call.ts';
import { frameworkJson } from './state-json.ts';

const ID = `${MASTER_ID}-0000`;

function one(selector: unknown, predicate: unknown): OfferConstraints {
  return {
    role_constraints: { '*': { groups: [{ attribute_constraints: [{ selector, predicate }] }] } },
  } as never;
}

function rack(value: string): OfferConstraints {
  return one({ attribute_name: 'rack' }, { text_equals: { value } });
}

function cluster(): FakeMaster {
  const fake = new FakeMaster();
  for (const at of ['a', 'b']) fake.register('cpus:4;mem:1024', { hostname: at, attributes: `rack:${at}` });
  return fake;
}

describe('offer constraints', () => {
  it('of SUBSCRIBE hold from the start, those of UPDATE_FRAMEWORK from the next allocation', () => {
    const fake = cluster();
    const scheduler = fake.subscribe({}, [], rack('b'));
    expect(scheduler.offers().map(({ hostname }) => hostname)).toEqual(['b']);
    const framework_info = frameworkInfo({ id: { value: ID } });
    fake.call(scheduler, 'UPDATE_FRAMEWORK', {
      update_framework: { framework_info, offer_constraints: rack('c') },
    });
    fake.clock.advance(1000);
    runAllocation(fake.master);
    expect(scheduler.events.filter(({ type }) => type === 'OFFERS')).toEqual([]);
    // An outstanding offer is not rescinded, and a call without constraints removes them.
    expect(scheduler.of('RESCIND')).toEqual([]);
    fake.call(scheduler, 'UPDATE_FRAMEWORK', { update_framework: { framework_info } });
    expect(scheduler.offers().map(({ hostname }) => hostname)).toEqual(['a']);
  });

  it('are removed by a SUBSCRIBE without constraints, and leave the agent to other frameworks', () => {
    const fake = cluster();
    fake.subscribe({}, [], rack('none'));
    const other = fake.subscribe();
    expect(other.offers()).toHaveLength(2);
    for (const { id } of [...fake.master.offers.values()]) {
      fake.call(other, 'DECLINE', {
        decline: { offer_ids: [{ value: id }], filters: { refuse_seconds: 60 } },
      });
    }
    const again = fake.subscribe({ id: { value: ID } });
    expect(again.offers()).toHaveLength(2);
  });

  it('are shown unchanged', () => {
    const fake = cluster();
    fake.subscribe();
    fake.subscribe({}, [], rack('b'));
    const shown = [...fake.master.frameworks.values()].map(
      (f) => frameworkJson(fake.master, f).offer_constraints,
    );
    expect(shown).toEqual([{}, rack('b')]);
  });
});

describe('invalid offer constraints', () => {
  const groups = (value: unknown): OfferConstraints => ({ role_constraints: { '*': value } }) as never;
  const constraint = "A role * has an invalid 'AttributeConstraint': ";
  const exists = { exists: {} };
  it.each<[OfferConstraints, string]>([
    [groups({}), "'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role *"],
    [
      groups({ groups: [{}] }),
      "'OfferConstraints::RoleConstraints::groups' for role *contains an empty RoleConstraints::Group",
    ],
    [one({ pseudoattribute_type: 'RACK' }, exists), `${constraint}Unknown pseudoattribute type`],
    [
      one({}, exists),
      `${constraint}Exactly one of 'AttributeConstraint::Selector::name' or` +
        " 'AttributeConstraint::Selector::pseudoattribute_type' must be set",
    ],
    [one({ attribute_name: 'a' }, {}), `${constraint}Unknown predicate type`],
    [
      one({ attribute_name: 'a' }, { text_matches: { regex: '(' } }),
      `${constraint}Failed to construct regex from pattern '(': invalid syntax`,
    ],
    [
      one({ attribute_name: 'a' }, { text_not_matches: { regex: '(?=a)' } }),
      `${constraint}Failed to construct regex from pattern '(?=a)': invalid perl operator: (?=`,
    ],
    [
      one({ attribute_name: 'a' }, { text_matches: { regex: 'a'.repeat(101) } }),
      `${constraint}Regex '${'a'.repeat(101)}' is too complex: program size of 101 is larger than maximum of 100 allowed`,
    ],
  ])('%j', (constraints, message) => {
    const fake = cluster();
    const refused = fake.subscribe({}, [], constraints);
    expect(refused.of('ERROR')).toMatchObject([
      { error: { message: `Offer constraints are not valid: ${message}` } },
    ]);
    const scheduler = fake.subscribe({}, [], rack('b'));
    const update_framework = {
      framework_info: frameworkInfo({ id: { value: ID } }),
      offer_constraints: constraints,
    };
    expect(() => fake.call(scheduler, 'UPDATE_FRAMEWORK', { update_framework })).toThrow(
      new CallRefused(
        400,
        `'UpdateFramework' call is not valid: Offer constraints are not valid: ${message}`,
      ),
    );
    // The previous constraints are still in effect.
    expect(fake.master.frameworks.get(ID)?.offerConstraints).toEqual(rack('b'));
  });

  it('have a role that the framework does not have', () => {
    const fake = cluster();
    const refused = fake.subscribe({ roles: ['dev'] }, [], rack('a'));
    expect(refused.of('ERROR')).toMatchObject([
      {
        error: {
          message:
            "Offer constraints specify `role_constraints` for a role '*'not contained in the set of roles",
        },
      },
    ]);
  });

  it.each([
    [{ attribute_name: 1 }, exists, "Not expecting a JSON number for field '"],
    [{ attribute_name: 'a' }, { text_equals: {} }, 'Missing required fields: '],
  ])('are no such message: %j %j', (selector, predicate, message) => {
    const subscribe = { framework_info: frameworkInfo(), offer_constraints: one(selector, predicate) };
    expect(() => validateCall({ type: 'SUBSCRIBE', subscribe }, undefined)).toThrow(message);
  });
});
