/** Offer constraints of Mesos 1.11: filtered offers, their display, and refused constraints. */

import { describe, expect, it } from 'vitest';
import type { AttributeConstraint, OfferConstraints } from '../../src/mesos/types.ts';
import { TestFramework } from './support/framework.ts';
import { getJson, master } from './support/mesos.ts';

const ROLE = 'contract-constraints';

function only(predicate: AttributeConstraint['predicate'], role = ROLE): OfferConstraints {
  const attribute_constraints = [{ selector: { pseudoattribute_type: 'HOSTNAME' as const }, predicate }];
  return { role_constraints: { [role]: { groups: [{ attribute_constraints }] } } };
}

const NOWHERE = only({ text_equals: { value: 'no.such.host' } });
const ANYWHERE = only({ text_matches: { regex: '.+' } });

async function subscribed(): Promise<TestFramework> {
  return TestFramework.subscribe({ info: { roles: [ROLE] }, offers: 'all' });
}

async function update(
  framework: TestFramework,
  offer_constraints?: OfferConstraints,
): Promise<{ status: number; text: string }> {
  const update_framework = {
    framework_info: framework.info,
    ...(offer_constraints && { offer_constraints }),
  };
  const { status, text } = await framework.post({ type: 'UPDATE_FRAMEWORK', update_framework });
  return { status, text };
}

/** Declines all offers, so that they are made again. */
async function declineAll(framework: TestFramework): Promise<void> {
  const { offers } = (await framework.event('OFFERS')).offers;
  for (const offer of offers) await framework.decline(offer, 0);
}

function offersOf(framework: TestFramework): number {
  return framework.log.filter(({ event }) => event.type === 'OFFERS').length;
}

/** Waits for two allocations: another framework gets offers twice. */
async function waitForAllocations(): Promise<void> {
  await using other = await TestFramework.subscribe();
  for (let n = 0; n < 2; n += 1) await other.decline(await other.offer(), 0);
}

async function shown(framework: TestFramework): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const path of ['/state', '/frameworks']) {
    const { frameworks } = await getJson<{ frameworks: { id: string; offer_constraints: unknown }[] }>(
      master,
      path,
    );
    found.push(frameworks.find(({ id }) => id === framework.id)?.offer_constraints);
  }
  return found;
}

describe('offer constraints', () => {
  it('prevent offers that do not match, until they are removed', async () => {
    await using framework = await subscribed();
    expect(await update(framework, NOWHERE)).toEqual({ status: 200, text: '' });
    await declineAll(framework);
    await waitForAllocations();
    expect(offersOf(framework)).toBe(1);
    expect(await update(framework)).toEqual({ status: 200, text: '' });
    await framework.event('OFFERS');
  });

  it('allow offers that match', async () => {
    await using framework = await subscribed();
    expect(await update(framework, ANYWHERE)).toEqual({ status: 200, text: '' });
    await declineAll(framework);
    const { offers } = (await framework.event('OFFERS')).offers;
    expect(offers).not.toHaveLength(0);
  });

  it('do not renew declined offers, which requires REVIVE', async () => {
    await using framework = await subscribed();
    const { offers } = (await framework.event('OFFERS')).offers;
    for (const offer of offers) await framework.decline(offer, 3600);
    expect(await update(framework, ANYWHERE)).toEqual({ status: 200, text: '' });
    await waitForAllocations();
    expect(offersOf(framework)).toBe(1);
    await framework.call({ type: 'REVIVE' });
    await framework.event('OFFERS');
  });

  it('are shown with the framework, as an empty object if there are none', async () => {
    await using framework = await subscribed();
    expect(await shown(framework)).toEqual([{}, {}]);
    await update(framework, NOWHERE);
    expect(await shown(framework)).toEqual([NOWHERE, NOWHERE]);
  });

  it.each([
    [
      'with an empty list of groups',
      { role_constraints: { [ROLE]: { groups: [] } } },
      `Offer constraints are not valid: 'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role ${ROLE}`,
    ],
    [
      'for a role of another framework',
      only({ exists: {} }, 'contract-other'),
      "Offer constraints specify `role_constraints` for a role 'contract-other'not contained in the set of roles",
    ],
    ['with an invalid pattern', only({ text_matches: { regex: '(' } }), 'Offer constraints are not valid: '],
    [
      'with a pattern that is too large',
      only({ text_matches: { regex: 'ab?'.repeat(100) } }),
      'Offer constraints are not valid: ',
    ],
  ])('%s are refused, and change nothing', async (_, constraints, message) => {
    await using framework = await subscribed();
    await update(framework, NOWHERE);
    const { status, text } = await update(framework, constraints);
    expect(status).toBe(400);
    expect(text).toContain(`'UpdateFramework' call is not valid: ${message}`);
    expect((await shown(framework))[0]).toEqual(NOWHERE);
  });
});
